"""What is answered about labels, as JSON: a receipt for those that were sent, and what all of them say so far."""

from collections.abc import Mapping, Sequence
from typing import Final

from typing_extensions import TypedDict  # pydantic wants it until Python 3.12

from headgate_monitor.service.truth import Truths
from headgate_monitor.truth.cohort import Tally
from headgate_monitor.truth.losses import Metric
from headgate_monitor.watch.alarm import Outcome, Signal

RESULTS: Final = ("accepted", "corrected", "repeated", "outdated", "unknown", "shed", "malformed")
"""What may become of a label; `Ledger.label` says what each means."""


class Receipt(TypedDict):
    """What became of labels that were sent, and what was wrong with the first that were malformed."""

    counts: dict[str, int]
    problems: list[str]


class Said(TypedDict):
    """What one comparison says."""

    signal: Signal
    message: str


class Report(TypedDict):
    """The verdicts, and the numbers of each version over the cohorts that were compared."""

    groundTruth: Said
    coverage: Said
    skill: Said
    versions: dict[str, dict[str, float | None]]


def receipt(counts: Mapping[str, int], problems: Sequence[str]) -> Receipt:
    """Return the answer to labels."""
    return {"counts": {result: counts.get(result, 0) for result in RESULTS}, "problems": list(problems)}


def report(truths: Truths) -> Report:
    """Return the answer to a look at them."""
    return {
        "groundTruth": _verdict(truths.ground_truth),
        "coverage": _verdict(truths.coverage),
        "skill": _verdict(truths.skill),
        "versions": {version: _numbers(tally) for version, tally in truths.sides.items()},
    }


def _verdict(outcome: Outcome) -> Said:
    return {"signal": outcome.signal, "message": outcome.message}


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
