"""What is answered about labels, as JSON: a receipt for those that were sent, and what all of them say so far."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate_monitor.service.truth import Truths
from headgate_monitor.truth.cohort import Tally
from headgate_monitor.truth.losses import Metric
from headgate_monitor.watch.alarm import Outcome

RESULTS: Final = ("accepted", "corrected", "repeated", "outdated", "unknown", "shed", "malformed")
"""What may become of a label; `Ledger.label` says what each means."""


def receipt(counts: Mapping[str, int], problems: Sequence[str]) -> dict[str, Any]:
    """Return what became of labels that were sent, and what was wrong with the first that were malformed."""
    return {"counts": {result: counts.get(result, 0) for result in RESULTS}, "problems": list(problems)}


def report(truths: Truths) -> dict[str, Any]:
    """Return the verdicts, and the numbers of each version over the cohorts that were compared."""
    return {
        "groundTruth": _verdict(truths.ground_truth),
        "coverage": _verdict(truths.coverage),
        "skill": _verdict(truths.skill),
        "versions": {version: _numbers(tally) for version, tally in truths.sides.items()},
    }


def _verdict(outcome: Outcome) -> dict[str, str]:
    return {"signal": outcome.signal.value, "message": outcome.message}


def _numbers(tally: Tally) -> dict[str, float | None]:
    errors = tally.mean(Metric.ACCURACY)
    return {
        "predictions": tally.predictions,
        "labels": tally.labelled,
        "coverage": tally.coverage,
        "lagSeconds": tally.lag / tally.labelled if tally.labelled else None,
        "brier": tally.mean(Metric.BRIER),
        "logLoss": tally.mean(Metric.LOG_LOSS),
        "accuracy": 1 - errors if errors is not None else None,
    }
