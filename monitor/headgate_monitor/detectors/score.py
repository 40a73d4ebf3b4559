"""Score a window of live rows against a reference: how certain a shift is, how large, and whether it is worth an alarm.

An alarm needs both: p below the level and a distance above the feature's floor. With enough rows everything is significant;
with few rows everything is far apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values
from headgate_monitor.detectors.distances import counts, ks_distance, total_variation
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import MINIMUM_ROWS, SEVERE_MARGIN, FeatureReference
from headgate_monitor.detectors.histograms import histogram, jensen_shannon_distance, population_stability_index
from headgate_monitor.detectors.joint import JointScore, JointTest
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.stock import StockTests
from headgate_monitor.detectors.tabular import PresortedTabularDrift

UNSEEN_FLOOR: Final = 0.05
"""So many more values than in training that are no known category are a fault of the data, even where the feature hardly moved."""


@dataclass(frozen=True)
class FeatureScore:
    """One feature of a window.

    `rows` are its non-null rows; below 100 there is no verdict and `p` is None, as it is where one test judges all features together.
    `distance` lies between 0 and 1, `missing_distance` is the difference of the shares of missing values, `missing_p` its Fisher test,
    `unseen` how many more values than in training are no known category. `psi` and `js` decide nothing. `counts` is the window's histogram
    on the reference's bins.
    """

    name: str
    rows: int
    p: float | None
    distance: float
    missing_p: float
    missing_distance: float
    unseen: float
    psi: float
    js: float
    counts: tuple[int, ...]
    alarm: bool
    severe: bool
    calibrated: bool


@dataclass(frozen=True)
class WindowScore:
    """A whole window: its features, and the level every p-value was compared with (after correction for their number)."""

    rows: int
    threshold: float
    features: tuple[FeatureScore, ...]
    joint: JointScore | None = None
    """Of all features together, where the detector is a classifier."""

    @property
    def alarm(self) -> bool:
        """Whether any feature alarms, or all of them together."""
        return any(feature.alarm for feature in self.features) or (self.joint is not None and self.joint.alarm)


class Scorer:
    """Compares windows with one reference by its detector; made once, because sorting the reference is most of the work.

    Args:
        reference: What to compare with.
        alpha: The chance of a false alarm a window may have, over all its features.
        minimum_rows: Features with fewer non-null rows get no verdict.
    """

    def __init__(self, reference: Reference, *, alpha: float, minimum_rows: int = MINIMUM_ROWS) -> None:
        if not 0 < alpha < 1:
            raise DriftError(f"alpha must lie between 0 and 1, found {alpha}")
        self._reference, self._alpha = reference, alpha
        self._minimum_rows = minimum_rows
        self._columns = [_Column(feature, reference.matrix[:, number]) for number, feature in enumerate(reference.features)]
        categorical = [number for number, feature in enumerate(reference.features) if feature.kind is ColumnKind.CATEGORY]
        self._tabular: PresortedTabularDrift | None = None
        self._stock: StockTests | None = None
        self._joint: JointTest | None = None
        if reference.detector is Detector.TABULAR:
            self._tabular = PresortedTabularDrift(reference.matrix, alpha, categorical, minimum_rows=minimum_rows)
        elif reference.detector is Detector.CLASSIFIER:
            self._joint = JointTest(reference.matrix)
        else:
            self._stock = StockTests(reference.features, reference.matrix, reference.detector, minimum_rows=minimum_rows)

    @property
    def histograms(self) -> tuple[tuple[int, ...], ...]:
        """The reference's own histogram of each feature."""
        return tuple(tuple(column.counts.tolist()) for column in self._columns)

    def score(self, columns: RawColumns) -> WindowScore:
        """Score raw rows.

        Raises:
            DriftError: the rows do not have the reference's features.
        """
        return self.score_encoded(self._reference.encode(columns))

    def score_encoded(self, window: Values, *, alpha: float | None = None) -> WindowScore:
        """Score rows that this reference encoded, shape (rows, features), at another level than the scorer's if one is given.

        Raises:
            DriftError: there are no rows.
        """
        if not len(window):
            raise DriftError("a window without rows cannot be scored")
        level = self._alpha if alpha is None else alpha
        threshold = level / len(self._columns)
        features = tuple(
            column.score(window[:, number], p, statistic, threshold, self._minimum_rows)
            for number, (column, p, statistic) in enumerate(zip(self._columns, *self._tested(window, level), strict=True))
        )
        if self._joint is None:
            return WindowScore(len(window), threshold, features)
        return WindowScore(len(window), threshold, tuple(replace(one, p=None) for one in features), self._all_together(window, level))

    def _tested(self, window: Values, level: float) -> tuple[Sequence[float], Sequence[float | None]]:
        """Return each feature's p-value, and its statistic where that is known to be the KS distance for numbers."""
        unknown = [None] * len(self._columns)
        if self._tabular is not None:
            self._tabular.p_val = level
            p_values, statistics = self._tabular.feature_score(self._tabular.x_ref, window)
            return p_values.tolist(), statistics.tolist()
        if self._stock is not None:
            return self._stock.p_values(window).tolist(), unknown
        return [1.0] * len(self._columns), unknown

    def _all_together(self, window: Values, level: float) -> JointScore | None:
        if self._joint is None or len(window) < self._minimum_rows:
            return None
        p, distance = self._joint.test(window)
        floor = self._reference.joint_floor
        alarm = p < level and distance > floor
        return JointScore(p, distance, floor, alarm, severe=alarm and distance >= floor + SEVERE_MARGIN)


class _Column:
    """One feature's reference values, prepared for everything but the test."""

    def __init__(self, feature: FeatureReference, values: Values) -> None:
        self._feature = feature
        missing = feature.missing(values)
        self._missing, self._rows = int(missing.sum()), len(values)
        self._sorted = np.sort(values[~missing])
        self._codes = counts(values, feature.codes) if feature.kind is ColumnKind.CATEGORY else np.zeros(0, dtype=np.int64)
        self._unseen = round(feature.unseen_rate * len(values))
        self.counts = histogram(feature, values)

    def score(self, window: Values, p: float, statistic: float | None, threshold: float, minimum_rows: int) -> FeatureScore:
        """Score the feature's values in a window; the statistic, if known, saves measuring a number's distance again."""
        feature = self._feature
        missing = feature.missing(window)
        lost, rows = int(missing.sum()), int(len(window) - missing.sum())
        decided, enough = rows >= minimum_rows, len(window) >= minimum_rows
        distance = self._distance(window, missing, statistic) if decided else 0.0
        missing_p = _fisher(lost, len(window), self._missing, self._rows)
        missing_distance = abs(lost / len(window) - feature.missing_rate)
        found = histogram(feature, window)
        unseen = max(0.0, int(found[-1]) / len(window) - feature.unseen_rate) if feature.kind is ColumnKind.CATEGORY else 0.0
        strange = unseen > UNSEEN_FLOOR and _fisher(int(found[-1]), len(window), self._unseen, self._rows) < threshold
        shifted = decided and p < threshold and distance > feature.floor
        gone = missing_p < threshold and missing_distance > feature.missing_floor
        return FeatureScore(
            name=feature.name,
            rows=rows,
            p=p if decided else None,
            distance=distance,
            missing_p=missing_p,
            missing_distance=missing_distance,
            unseen=unseen,
            psi=population_stability_index(self.counts, found),
            js=jensen_shannon_distance(self.counts, found),
            counts=tuple(found.tolist()),
            alarm=(shifted or (enough and (gone or strange))) and not feature.excluded,
            severe=shifted and distance >= feature.severe and not feature.excluded,
            calibrated=feature.calibrated,
        )

    def _distance(self, window: Values, missing: NDArray[np.bool_], statistic: float | None) -> float:
        """Chi-square grows with the rows and CVM knows no largest value, so what is compared with floors is the same for every test."""
        if self._feature.kind is ColumnKind.CATEGORY:
            return total_variation(self._codes, counts(window, self._feature.codes))
        if statistic is not None:
            return statistic
        return ks_distance(self._sorted, window[~missing]) if len(self._sorted) else 0.0


def _fisher(own: int, rows: int, reference: int, reference_rows: int) -> float:
    if own == 0 and reference == 0:
        return 1.0
    return float(fisher_exact([[own, rows - own], [reference, reference_rows - reference]])[1])
