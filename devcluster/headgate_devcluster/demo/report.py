"""Draws the demo's report: one self-contained HTML page with a summary table and plots of weight, errors and evidence."""

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import jinja2
import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headgate_devcluster.demo.outcome import RolloutOutcome, Summary
from headgate_devcluster.demo.recorder import Recorder, Sample

ERROR_WINDOW_SECONDS: Final = 10
AFTER_SECONDS: Final = 20
_TEMPLATE: Final = Path(__file__).with_name("report.html.j2")


def write_report(path: Path, recorder: Recorder, summary: Summary) -> None:
    """Write the report."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(_TEMPLATE.read_text())
    page = template.render(
        summary=summary,
        whole=_svg(_draw(recorder, recorder.samples, "The whole demo")),
        sections=[
            (rollout, _svg(_draw(recorder, _during(recorder.samples, rollout), f"Version {rollout.version}")))
            for rollout in summary.rollouts
        ],
        events=list(recorder.events),
    )
    path.write_text(page)


def _during(samples: Sequence[Sample], rollout: RolloutOutcome) -> list[Sample]:
    end = rollout.began + rollout.seconds + AFTER_SECONDS
    return [sample for sample in samples if rollout.began - ERROR_WINDOW_SECONDS <= sample.at <= end]


def _draw(recorder: Recorder, samples: Sequence[Sample], title: str) -> Figure:
    """Draw weight, error share and evidence over time, one below the other."""
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    weight, errors, evidence = figure.subplots(3, 1, sharex=True)
    weight.set_title(title, loc="left")
    for colour, revision in enumerate(recorder.versions):  # a version keeps its colour in every plot
        if not any(revision in sample.weights for sample in samples):
            continue
        look = {"label": recorder.label(revision), "color": f"C{colour}"}
        weight.step(*_points((sample.at, sample.weights.get(revision, 0)) for sample in samples), where="post", **look)
        errors.plot(*_points(_error_shares(samples, revision)), **look)
    _draw_evidence(evidence, samples)
    _finish(weight, "weight, %", (-3, 103))
    _finish(errors, "failed, %", (-0.5, max(2.0, errors.get_ylim()[1])))
    _finish(evidence, "evidence (ln)", None)
    evidence.set_xlabel("seconds since the demo began; dashed: the bound at which a version is rolled back")
    return figure


def _draw_evidence(axes: Axes, samples: Sequence[Sample]) -> None:
    """Draw each metric's evidence, with a gap between one candidate and the next."""
    for colour, metric in enumerate(dict.fromkeys(name for sample in samples for name in sample.evidence)):
        values, bounds, candidate = [], [], None
        for sample in samples:
            value, bound = sample.evidence.get(metric, (math.nan, math.nan))
            values.append((sample.at, value if sample.candidate == candidate else math.nan))
            bounds.append((sample.at, bound))
            candidate = sample.candidate
        axes.plot(*_points(values), label=metric, color=f"C{colour + 5}")
        axes.plot(*_points(bounds), linestyle="--", color="grey", linewidth=0.8)


def _finish(axes: Axes, label: str, limits: tuple[float, float] | None) -> None:
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    if limits:
        axes.set_ylim(*limits)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")


def _points(pairs: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    listed = list(pairs)
    return [x for x, _ in listed], [y for _, y in listed]


def _error_shares(samples: Sequence[Sample], revision: str) -> Iterable[tuple[float, float]]:
    """Share of a revision's answers in the last ten seconds that were bad, in percent."""
    for earlier, later in zip(samples, samples[ERROR_WINDOW_SECONDS:], strict=False):
        total = later.requests.get(revision, 0) - earlier.requests.get(revision, 0)
        if total:
            yield later.at, 100 * (later.bad.get(revision, 0) - earlier.bad.get(revision, 0)) / total


def _svg(figure: Figure) -> Markup:
    """Render without fonts of its own, so that the page stays small and text stays text."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - drawn by us; matplotlib escapes the labels
