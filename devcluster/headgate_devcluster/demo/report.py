"""Writes the demo's report: one self-contained HTML page with a summary table, charts of every rollout, and the operator's Events."""

from pathlib import Path
from typing import Final

from headgate_devcluster.demo.charts import one_rollout, whole_demo
from headgate_devcluster.demo.outcome import Summary
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.training import RECIPES
from headgate_operator.pages.document import offline

TEMPLATES: Final = Path(__file__).parent


def write_report(path: Path, recorder: Recorder, summary: Summary) -> None:
    """Write the report."""
    values = {
        "summary": summary,
        "stories": {recipe.version: recipe.story for recipe in RECIPES},
        "whole": whole_demo(recorder, summary.rollouts),
        "sections": [(rollout, one_rollout(recorder, rollout)) for rollout in summary.rollouts],
        "events": list(recorder.events),
    }
    path.write_text(offline("demo.html.j2", values, more=TEMPLATES), encoding="utf-8")
