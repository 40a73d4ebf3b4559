"""The sentences of verdicts: which features moved, how far, how surely; numbers short, so that equal windows give equal sentences."""

from collections.abc import Iterable
from typing import Final

from headgate_monitor.detectors.feature import SEVERE_MARGIN
from headgate_monitor.detectors.score import FeatureScore, WindowScore
from headgate_monitor.watch.alarm import Outcome, Signal

TOP: Final = 3
"""Features that a sentence names."""


def ordered(scores: Iterable[FeatureScore]) -> list[FeatureScore]:
    """Return the features that moved most first; those that alarm before all others."""
    return sorted(scores, key=lambda score: (-score.alarm, -max(score.distance, score.missing_distance), score.name))


def judge(score: WindowScore, floors: dict[str, float], *, compared: int, subject: str) -> Outcome:
    """Return what a window's scores say.

    Args:
        score: Of the window; only features that may alarm.
        floors: By feature: the distance below which nothing alarms.
        compared: How many rows it was compared with.
        subject: What was compared, such as "stable's requests against the reference".
    """
    alarming = [feature for feature in ordered(score.features) if feature.alarm]
    if not alarming:
        if all(feature.p is None for feature in score.features):
            return Outcome(Signal.UNKNOWN, f"{subject}: too few rows with values")
        return Outcome(Signal.CLEAN, f"{subject}: nothing beyond its floor")
    named = "; ".join(_feature(feature, floors[feature.name], compared) for feature in alarming[:TOP])
    more = f"; and {len(alarming) - TOP} more" if len(alarming) > TOP else ""
    severe = any(feature.severe for feature in alarming)
    return Outcome(Signal.SEVERE if severe else Signal.DRIFT, f"{subject}: {named}{more}")


def _feature(score: FeatureScore, floor: float, compared: int) -> str:
    uncalibrated = "" if score.calibrated else ", uncalibrated"
    if score.p is None or score.missing_distance > score.distance:
        return f"{score.name} is missing in {score.missing_distance:.0%} more or fewer rows (p {score.missing_p:.1g}{uncalibrated})"
    severe = f", severe from {floor + SEVERE_MARGIN:.2f}" if score.severe else ""
    return (
        f"{score.name} {score.distance:.2f} (floor {floor:.2f}{severe}, p {score.p:.1g}, n {score.rows} against {compared}{uncalibrated})"
    )
