"""The rates of each group of a column, by fairlearn, and how far apart they are."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, count, false_positive_rate, selection_rate, true_positive_rate
from numpy.typing import NDArray
from sklearn.metrics import zero_one_loss

from headgate_components.groups import Names, in_order
from headgate_components.labels import Labels

RATES = ("selection rate", "true positive rate", "false positive rate", "error rate")
_METRICS = {
    "rows": count,
    "selection rate": selection_rate,
    "true positive rate": true_positive_rate,
    "false positive rate": false_positive_rate,
    "error rate": zero_one_loss,
}


@dataclass(frozen=True)
class Gap:
    """The two groups that are furthest apart in a rate."""

    most: float
    most_group: str
    least: float
    least_group: str

    @property
    def size(self) -> float:
        """The difference of the two."""
        return self.most - self.least


@dataclass(frozen=True)
class Group:
    """What is decided for the rows of a group."""

    name: str
    rows: int
    rates: dict[str, float | None]
    """By the names in `RATES`; None for a rate of the rows of a class that the group lacks."""


@dataclass(frozen=True)
class Comparison:
    """The groups of a column."""

    column: str
    groups: tuple[Group, ...]
    compared: tuple[Group, ...]
    """Those that are large enough."""

    def gap(self, rate: str) -> Gap | None:
        """The two compared groups that are furthest apart; None if fewer than two have this rate."""
        known = [(value, group.name) for group in self.compared if (value := group.rates[rate]) is not None]
        if len(known) < 2:
            return None
        (least, least_group), (most, most_group) = min(known), max(known)
        return Gap(most, most_group, least, least_group)


def compare(column: str, names: Names, labels: Labels, decided: NDArray[np.int64], minimum_rows: int) -> Comparison:
    """The rates of each group.

    Args:
        column: what the groups are groups of.
        names: the group of each row, shape (rows,).
        labels: 0 or 1, shape (rows,).
        decided: 0 or 1, shape (rows,).
        minimum_rows: smaller groups are not compared.
    """
    frame = MetricFrame(metrics=_METRICS, y_true=labels, y_pred=decided, sensitive_features=pd.Series(names, name=column)).by_group
    groups = tuple(_group(name, frame.loc[name], labels[names == name]) for name in in_order(names))
    return Comparison(column, groups, tuple(group for group in groups if group.rows >= minimum_rows))


def _group(name: str, row: "pd.Series", labels: Labels) -> Group:
    # fairlearn gives 0 for the rate of a class that does not occur; that is no rate.
    defined = {"true positive rate": bool(labels.any()), "false positive rate": not labels.all()}
    rates = {rate: float(row[rate]) if defined.get(rate, True) and math.isfinite(row[rate]) else None for rate in RATES}
    return Group(name, len(labels), rates)
