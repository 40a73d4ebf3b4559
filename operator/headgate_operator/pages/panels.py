"""Samples of a rollout → the charts that tell its story, all on one time axis."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headgate_operator.pages.chart import LOOKS, Chart, Line, Mark, Point, Tone
from headgate_operator.pages.sample import Count, Evidence, Sample
from headgate_operator.pages.words import Clock

_FEATURES: Final = 6
"""Lines of the drift chart; more cannot be told apart."""
_NEWS: Final = 6
_MOST_EVIDENCE: Final = 120.0
"""Percent of its bound up to which evidence is drawn: what is beyond has been decided, and would flatten all the rest."""
_AFTER_VERSIONS: Final = 3
"""Where the looks of metrics begin, so that a metric is not taken for a version."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """How revisions are called, and drawn."""

    names: Mapping[str, str]
    looks: Mapping[str, int]

    def look(self, revision: str) -> int:
        """Return how a revision is drawn; one that nobody named gets what is last."""
        return self.looks.get(revision, LOOKS - 1)

    def name(self, revision: str) -> str:
        """Return what people call it."""
        return self.names.get(revision, revision)


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is told: samples oldest first, what happened meanwhile, and how to say it."""

    samples: Sequence[Sample]
    labels: Labels
    clock: Clock
    marks: tuple[Mark, ...] = ()
    window: float = 60.0
    """Seconds over which requests and bad answers are counted for a point."""

    @property
    def begin(self) -> float:
        """The first instant."""
        return self.samples[0].at

    @property
    def end(self) -> float:
        """The last instant."""
        return self.samples[-1].at

    def chart(self, title: str, unit: str, lines: Iterable[Line], **more: object) -> Chart:
        """Return a panel on this story's time axis."""
        marks = tuple(mark for mark in self.marks if self.begin <= mark.at <= self.end)
        return Chart(
            title=title, unit=unit, lines=tuple(lines), begin=self.begin, end=self.end, clock=self.clock, marks=marks, **more  # type: ignore[arg-type]
        )  # fmt: skip


def panels(story: Story) -> list[Chart]:
    """Return the charts that have something to show."""
    if not story.samples:
        return []
    charts = [
        story.chart("Weight", "% of traffic", _weights(story), at_least=100.0, note=_verdicts(story)),
        story.chart("Requests", "a second", _rates(story)),
        *_bad_answers(story),
        *_evidence(story),
        story.chart("Drift", "distance from the reference", _drift(story), at_least=0.2, note="0 is no difference, 1 the largest."),
    ]
    return [chart for chart in charts if any(not math.isnan(value) for line in chart.lines for _, value in line.points)]


def _verdicts(story: Story) -> str:
    """Name the upright lines that are news, good or bad; the last ones, if there are many."""
    news = [f"{mark.label} at {story.clock(mark.at)}" for mark in story.marks if mark.tone is not Tone.PLAIN]
    return f"{', '.join(news[-_NEWS:])}." if news else ""


def _weights(story: Story) -> Iterator[Line]:
    """A revision's weight while it is in the route, and the 0 it leaves with."""
    for revision in _keys(story, lambda sample: sample.weights):
        points, there = [], False
        for sample in story.samples:
            points.append((sample.at, sample.weights.get(revision, 0.0 if there else math.nan)))
            there = revision in sample.weights
        yield Line(story.labels.name(revision), points, story.labels.look(revision), steps=True)


def _rates(story: Story) -> Iterator[Line]:
    for revision in _keys(story, lambda sample: sample.requests):
        counts = [(sample.at, _total(sample.requests.get(revision))) for sample in story.samples]
        points = [(at, count.total / seconds) for at, count, seconds in _differences(counts, story.window)]
        yield Line(story.labels.name(revision), points, story.labels.look(revision))


def _total(requests: float | None) -> Count | None:
    return None if requests is None else Count(0.0, requests)


def _bad_answers(story: Story) -> Iterator[Chart]:
    """One panel a metric: the share of bad answers of each version."""
    for metric in _keys(story, lambda sample: sample.counts):
        lines = []
        for revision in _keys(story, lambda sample: sample.counts.get(metric, {})):  # noqa: B023 (used before the loop goes on)
            counts = [(sample.at, sample.counts.get(metric, {}).get(revision)) for sample in story.samples]
            found = _differences(counts, story.window)
            points = [(at, 100 * count.bad / count.total if count.total else math.nan) for at, count, _ in found]
            lines.append(Line(story.labels.name(revision), points, story.labels.look(revision)))
        yield story.chart(f"Bad answers: {metric}", "% of requests", lines, at_least=2.0)


def _differences(counts: Sequence[tuple[float, Count | None]], window: float) -> Iterator[tuple[float, Count, float]]:
    """Yield what was counted within the last `window` seconds before each instant, and in how many seconds.

    Counting begins anew whenever a count is lower than before, as with every trial.
    """
    begin = 0
    for position, (at, count) in enumerate(counts):
        before = counts[position - 1][1] if position else None
        if count is None or before is None or count.total < before.total or count.bad < before.bad:
            begin = position
            yield at, Count(0.0, math.nan), 1.0
            continue
        while begin + 1 < position and counts[begin + 1][0] <= at - window:
            begin += 1
        since, first = _at(counts[begin], counts[min(begin + 1, position)], at - window)
        if at > since:
            yield at, Count(count.bad - first.bad, count.total - first.total), at - since


def _at(left: tuple[float, Count | None], right: tuple[float, Count | None], at: float) -> tuple[float, Count]:
    """Return the count at a time between two readings, as if it had grown steadily: while nothing happened there are none in between."""
    (since, first), (until, second) = left, right
    assert first is not None
    if at <= since or until <= since or second is None:
        return since, first
    part = min(1.0, (at - since) / (until - since))
    return since + part * (until - since), Count(
        first.bad + part * (second.bad - first.bad), first.total + part * (second.total - first.total)
    )


def _evidence(story: Story) -> Iterator[Chart]:
    """Evidence as a part of its bound, so that metrics with different bounds can be compared; a gap between one trial and the next."""
    for title, label, pick in (
        ("Evidence to roll back", "rolled back here", lambda found: (found.rollback, found.rollback_bound)),
        ("Evidence to promote", "good enough here", lambda found: (found.promotion, found.promotion_bound)),
    ):
        names = _keys(story, lambda sample: sample.evidence)
        lines = [Line(name, list(_parts(story, name, pick)), _AFTER_VERSIONS + look) for look, name in enumerate(names)]
        yield story.chart(title, "% of what decides", lines, bound=100.0, bound_label=label, at_least=100.0)


def _parts(story: Story, metric: str, pick: Callable[[Evidence], tuple[float, float]]) -> Iterator[Point]:
    trial = None
    for sample in story.samples:
        found = sample.evidence.get(metric)
        value, bound = pick(found) if found is not None else (math.nan, 0.0)
        yield sample.at, min(100 * value / bound, _MOST_EVIDENCE) if bound > 0 and sample.trial == trial else math.nan
        trial = sample.trial


def _drift(story: Story) -> Iterator[Line]:
    """The features that are furthest off at the end."""
    names = _keys(story, lambda sample: sample.drift)
    furthest = sorted(names, key=lambda name: -max(sample.drift.get(name, 0.0) for sample in story.samples[-1:]))[:_FEATURES]
    for look, name in enumerate(furthest):
        yield Line(name, [(sample.at, sample.drift.get(name, math.nan)) for sample in story.samples], look, steps=True)


def _keys(story: Story, pick: Callable[[Sample], Mapping[str, object]]) -> list[str]:
    """Return every key that any sample has, in the order in which they came."""
    return list(dict.fromkeys(key for sample in story.samples for key in pick(sample)))
