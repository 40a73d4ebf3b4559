"""Writes the demo's report: one self-contained HTML page with a summary table, plots of every rollout, and the operator's Events."""

from pathlib import Path
from typing import Final

import jinja2

from headgate_devcluster.demo.outcome import RolloutOutcome, Summary
from headgate_devcluster.demo.plots import one_rollout, whole_demo
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.training import RECIPES

_TEMPLATE: Final = Path(__file__).with_name("report.html.j2")


def write_report(path: Path, recorder: Recorder, summary: Summary) -> None:
    """Write the report."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(_TEMPLATE.read_text())
    page = template.render(
        summary=summary,
        stories={recipe.version: recipe.story for recipe in RECIPES},
        whole=whole_demo(recorder, summary.rollouts),
        sections=[(rollout, _plot(recorder, rollout)) for rollout in summary.rollouts],
        events=list(recorder.events),
    )
    path.write_text(page)


def _plot(recorder: Recorder, rollout: RolloutOutcome) -> str:
    """Plot a rollout; a version that never had a request has nothing to plot."""
    return one_rollout(recorder, rollout) if rollout.candidate_requests else ""
