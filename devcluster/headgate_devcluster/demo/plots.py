"""Plots of what the demo saw: weights, failed answers and evidence over time, one below the other."""

import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headgate_devcluster.demo.outcome import Ending, RolloutOutcome
from headgate_devcluster.demo.recorder import Evidence, Recorder, Sample

ERROR_WINDOW_SECONDS: Final = 10
AFTER_SECONDS: Final = 20
_VERDICTS: Final = {Ending.PROMOTED: "#2a7d2a", Ending.ROLLED_BACK: "#c0392b", Ending.REJECTED: "#c0392b"}


def whole_demo(recorder: Recorder, rollouts: Sequence[RolloutOutcome]) -> Markup:
    """Draw everything, as SVG."""
    return svg(_draw(recorder, recorder.samples, rollouts))


def one_rollout(recorder: Recorder, rollout: RolloutOutcome) -> Markup:
    """Draw one rollout and a little of what came after, as SVG."""
    end = rollout.began + rollout.seconds + AFTER_SECONDS
    samples = [sample for sample in recorder.samples if rollout.began <= sample.at <= end]
    return svg(_draw(recorder, samples, [rollout]))


def _draw(recorder: Recorder, samples: Sequence[Sample], rollouts: Sequence[RolloutOutcome]) -> Figure:
    figure = Figure(figsize=(10, 8), layout="constrained")
    weight, errors, against, in_favour = figure.subplots(4, 1, sharex=True)
    for colour, revision in enumerate(recorder.versions):  # a version keeps its colour in every plot
        look = {"label": recorder.label(revision), "color": f"C{colour}"}
        weights = list(_weights(samples, revision))
        if not all(math.isnan(value) for _, value in weights):
            weight.step(*_points(weights), where="post", **look)
        if shares := list(_error_shares(samples, revision)):
            errors.plot(*_points(shares), **look)
    _draw_evidence(against, samples, lambda evidence: (evidence.rollback, evidence.rollback_bound))
    _draw_evidence(in_favour, samples, lambda evidence: (evidence.promotion, evidence.promotion_bound))
    for rollout in rollouts:
        _mark_verdict((weight, errors, against, in_favour), rollout)
    _finish(weight, "weight, %", (-3, 103))
    highest = max(2.0, errors.get_ylim()[1])
    _finish(errors, "failed, %", (-0.04 * highest, highest))
    _finish(against, "evidence\nto roll back", None)
    _finish(in_favour, "evidence\nto promote", None)
    in_favour.set_xlabel("seconds since the demo began; dashed: the bound at which the evidence decides")
    return figure


def _draw_evidence(axes: Axes, samples: Sequence[Sample], pick: Callable[[Evidence], tuple[float, float]]) -> None:
    """Draw each metric's evidence, with a gap between one candidate and the next."""
    for colour, metric in enumerate(dict.fromkeys(name for sample in samples for name in sample.evidence)):
        values, bounds, candidate = [], [], None
        for sample in samples:
            found = sample.evidence.get(metric)
            value, bound = pick(found) if found else (math.nan, math.nan)
            values.append((sample.at, value if sample.candidate == candidate else math.nan))
            bounds.append((sample.at, bound))
            candidate = sample.candidate
        axes.plot(*_points(values), label=metric, color=f"C{colour + 5}")
        axes.plot(*_points(bounds), linestyle="--", color="grey", linewidth=0.8)


def _mark_verdict(panels: tuple[Axes, ...], rollout: RolloutOutcome) -> None:
    """Draw a line through all panels at the verdict, named above the first, and the evidence that refused the version, if any did."""
    at, colour = rollout.began + rollout.seconds, _VERDICTS[rollout.outcome]
    for axes in panels:
        axes.axvline(at, color=colour, linewidth=1, linestyle=":")
    words = f"version {rollout.version} {rollout.outcome.value}"
    side = "left" if rollout.outcome is Ending.REJECTED else "right"  # what is refused at once stands close to the verdict before
    panels[0].annotate(words, (at, 1.03), xycoords=("data", "axes fraction"), color=colour, fontsize="small", ha=side)
    if rollout.deciding_evidence is not None:
        panels[2].plot([at], [rollout.deciding_evidence], "o", color=colour, markersize=5, label=f"{rollout.outcome.value}")


def _finish(axes: Axes, label: str, limits: tuple[float, float] | None) -> None:
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    if limits:
        axes.set_ylim(*limits)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")


def _weights(samples: Sequence[Sample], revision: str) -> Iterable[tuple[float, float]]:
    """A revision's weight while it is in the route, and the 0 it leaves with."""
    there = False
    for sample in samples:
        yield sample.at, sample.weights.get(revision, 0 if there else math.nan)
        there = revision in sample.weights


def _error_shares(samples: Sequence[Sample], revision: str) -> Iterable[tuple[float, float]]:
    """Share of a revision's answers in the last ten seconds that were bad, in percent."""
    for earlier, later in zip(samples, samples[ERROR_WINDOW_SECONDS:], strict=False):
        total = later.requests.get(revision, 0) - earlier.requests.get(revision, 0)
        if total:
            yield later.at, 100 * (later.bad.get(revision, 0) - earlier.bad.get(revision, 0)) / total


def _points(pairs: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    listed = list(pairs)
    return [x for x, _ in listed], [y for _, y in listed]


def svg(figure: Figure) -> Markup:
    """Render without fonts of its own, so that the page stays small and text stays text."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - drawn by us; matplotlib escapes the labels
