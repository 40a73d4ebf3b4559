"""Score a window of live rows against a reference: how certain a shift is, how large, and whether it is worth an alarm.

An alarm needs both: p below the level and a distance above the feature's floor. With enough rows everything is significant;
with few rows everything is far apart.
"""

from dataclasses import dataclass

from scipy.stats import fisher_exact

from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values
from headgate_monitor.detectors.distances import counts, total_variation
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import MINIMUM_ROWS
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.tabular import PresortedTabularDrift


@dataclass(frozen=True)
class FeatureScore:
    """One feature of a window.

    `rows` are its non-null rows; below 100 there is no verdict and `p` is None. `distance` lies between 0 and 1,
    `missing_distance` is the difference of the shares of missing values, `missing_p` its Fisher test.
    """

    name: str
    rows: int
    p: float | None
    distance: float
    missing_p: float
    missing_distance: float
    alarm: bool
    severe: bool
    calibrated: bool


@dataclass(frozen=True)
class WindowScore:
    """A whole window: its features, and the level every p-value was compared with (after correction for their number)."""

    rows: int
    threshold: float
    features: tuple[FeatureScore, ...]

    @property
    def alarm(self) -> bool:
        """Whether any feature alarms."""
        return any(feature.alarm for feature in self.features)


class Scorer:
    """Compares windows with one reference; made once, because sorting the reference is most of the work.

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
        kinds = [feature.kind for feature in reference.features]
        categorical = [column for column, kind in enumerate(kinds) if kind is ColumnKind.CATEGORY]
        self._detector = PresortedTabularDrift(reference.matrix, alpha, categorical, minimum_rows=minimum_rows)
        self._counts = {column: counts(reference.matrix[:, column], reference.features[column].codes) for column in categorical}
        self._missing = [int(feature.missing(reference.matrix[:, column]).sum()) for column, feature in enumerate(reference.features)]

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
        self._detector.p_val = self._alpha if alpha is None else alpha
        if not len(window):
            raise DriftError("a window without rows cannot be scored")
        found = self._detector.predict(window)["data"]
        threshold = float(found["threshold"])
        features = tuple(
            self._feature(column, window[:, column], float(p), float(statistic), threshold)
            for column, (p, statistic) in enumerate(zip(found["p_val"], found["distance"], strict=True))
        )
        return WindowScore(len(window), threshold, features)

    def _feature(self, column: int, window: Values, p: float, statistic: float, threshold: float) -> FeatureScore:
        feature = self._reference.features[column]
        missing = feature.missing(window)
        rows = int(len(window) - missing.sum())
        decided = rows >= self._minimum_rows
        distance = self._distance(column, window, statistic) if decided else 0.0
        missing_p = _missing_p(int(missing.sum()), len(window), self._missing[column], len(self._reference.matrix))
        missing_distance = abs(float(missing.mean()) - feature.missing_rate)
        shifted = decided and p < threshold and distance > feature.floor
        lost = len(window) >= self._minimum_rows and missing_p < threshold and missing_distance > feature.missing_floor
        return FeatureScore(
            name=feature.name,
            rows=rows,
            p=p if decided else None,
            distance=distance,
            missing_p=missing_p,
            missing_distance=missing_distance,
            alarm=(shifted or lost) and not feature.excluded,
            severe=shifted and distance >= feature.severe and not feature.excluded,
            calibrated=feature.calibrated,
        )

    def _distance(self, column: int, window: Values, statistic: float) -> float:
        """The statistic of a number is a distance already; chi-square grows with the rows, so categories need their own."""
        if column not in self._counts:
            return statistic
        reference = self._counts[column]
        return total_variation(reference, counts(window, len(reference)))


def _missing_p(window_missing: int, window_rows: int, reference_missing: int, reference_rows: int) -> float:
    if window_missing == 0 and reference_missing == 0:
        return 1.0
    table = [[window_missing, window_rows - window_missing], [reference_missing, reference_rows - reference_missing]]
    return float(fisher_exact(table)[1])
