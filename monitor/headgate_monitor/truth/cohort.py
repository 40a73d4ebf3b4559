"""One cohort: what both versions predicted in the same interval, as far as its labels are known.

The gateway decides by chance which version a request goes to. So within a cohort two equally good versions could have their requests
swapped, and a difference between their losses has mean 0 whatever the world does meanwhile. Rows of one request went the same way
together: the request, with the mean of its rows, is what counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from headgate_monitor.detectors.columns import Values
from headgate_monitor.truth.losses import Metric, probable, scaled_losses


@dataclass(frozen=True)
class Row:
    """One prediction of a version, and its label if it came."""

    version: str
    request: str
    at: float
    """When it was predicted, seconds since the epoch by the monitor's clock; as is `came`."""
    prediction: float
    """NaN if the answer was no number."""
    label: float | None = None
    came: float | None = None
    """When the first label came."""


@dataclass(frozen=True)
class Tally:
    """Sums over predictions of one version."""

    predictions: int = 0
    labelled: int = 0
    brier: float = 0.0
    log_loss: float = 0.0
    errors: float = 0.0
    positives: float = 0.0
    lag: float = 0.0
    """Seconds from prediction to label."""
    improbable: int = 0
    """Labelled predictions that are no probability."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.predictions + other.predictions, self.labelled + other.labelled, self.brier + other.brier, self.log_loss + other.log_loss,
            self.errors + other.errors, self.positives + other.positives, self.lag + other.lag, self.improbable + other.improbable,
        )  # fmt: skip

    @property
    def coverage(self) -> float:
        """Share of the predictions that have a label."""
        return self.labelled / self.predictions if self.predictions else 0.0

    def mean(self, metric: Metric) -> float | None:
        """Return the mean loss, in the metric's unit; None without labels."""
        total = {Metric.BRIER: self.brier, Metric.LOG_LOSS: self.log_loss, Metric.ACCURACY: self.errors}[metric]
        return total / self.labelled if self.labelled else None


def tally(rows: Sequence[Row]) -> Tally:
    """Return the sums over rows of one version."""
    known = [row for row in rows if row.label is not None]
    predictions, labels = _columns(known)
    losses = {metric: float(scaled_losses(metric, predictions, labels).sum()) * metric.worst for metric in Metric}
    return Tally(
        predictions=len(rows),
        labelled=len(known),
        brier=losses[Metric.BRIER],
        log_loss=losses[Metric.LOG_LOSS],
        errors=losses[Metric.ACCURACY],
        positives=float(labels.sum()),
        lag=sum(max(0.0, (row.came or row.at) - row.at) for row in known),
        improbable=len(known) - int(probable(predictions).sum()),
    )


def differences(stable: Iterable[Row], trial: Iterable[Row], metric: Metric) -> tuple[Values, int]:
    """Return the trial's scaled losses minus stable's, each in [-1, 1], and how many of them are of one request that both answered.

    A request that both answered (mirrored traffic) is compared with itself. Of the others, each of the side that has fewer is compared with
    the mean of as many of the other side's as there are for each, neighbours in time; nobody's is used twice.
    """
    own, others = (_by_request(rows, metric) for rows in (trial, stable))
    both = [request for request in own if request in others]
    paired = np.array([own[request] - others[request] for request in both])
    alone = [np.array([loss for request, loss in side.items() if request not in set_]) for side, set_ in ((own, others), (others, own))]
    groups = min(len(side) for side in alone)
    if not groups:
        return paired, len(paired)
    means = [np.add.reduceat(side, (starts := _starts(len(side), groups))) / np.diff([*starts, len(side)]) for side in alone]
    return np.concatenate([paired, means[0] - means[1]]), len(paired)


def _by_request(rows: Iterable[Row], metric: Metric) -> dict[str, float]:
    """Mean loss of each request's labelled rows, in the order of time."""
    known = sorted((row for row in rows if row.label is not None), key=lambda row: (row.at, row.request))
    losses = scaled_losses(metric, *_columns(known))
    found: dict[str, list[float]] = {}
    for row, loss in zip(known, losses, strict=True):
        found.setdefault(row.request, []).append(float(loss))
    return {request: sum(each) / len(each) for request, each in found.items()}


def _starts(items: int, groups: int) -> list[int]:
    return [items * group // groups for group in range(groups)]


def _columns(known: Sequence[Row]) -> tuple[Values, Values]:
    return np.array([row.prediction for row in known], dtype=np.float64), np.array([row.label for row in known], dtype=np.float64)
