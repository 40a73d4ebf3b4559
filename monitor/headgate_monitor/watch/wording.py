"""The sentences of verdicts: which features moved, how far, how surely; numbers short, so that equal windows give equal sentences."""

from collections.abc import Iterable
from typing import Final

from headgate_monitor.detectors.feature import SEVERE_MARGIN, FeatureReference
from headgate_monitor.detectors.joint import JointScore
from headgate_monitor.detectors.score import UNSEEN_FLOOR, FeatureScore, WindowScore
from headgate_monitor.watch.alarm import Outcome, Signal

TOP: Final = 3
"""Features that a sentence names."""


def ordered(scores: Iterable[FeatureScore]) -> list[FeatureScore]:
    """Return the features that moved most first; those that alarm before all others."""
    return sorted(scores, key=lambda score: (-score.alarm, -max(score.distance, score.missing_distance), score.name))


def judge(score: WindowScore, features: Iterable[FeatureReference], *, compared: int, subject: str) -> Outcome:
    """Return what a window's scores say.

    Args:
        score: Of the window; only features that may alarm.
        features: What it was judged by: the distances below which nothing alarms.
        compared: How many rows it was compared with.
        subject: What was compared, such as "stable's requests against the reference".
    """
    alarming = [feature for feature in ordered(score.features) if feature.alarm]
    together = [_together(score.joint)] if score.joint is not None and score.joint.alarm else []
    if not alarming and not together:
        if score.joint is None and all(feature.p is None for feature in score.features):
            return Outcome(Signal.UNKNOWN, f"{subject}: too few rows with values")
        return Outcome(Signal.CLEAN, f"{subject}: nothing beyond its floor")
    floors = {feature.name: feature.floor for feature in features}
    named = "; ".join([*together, *(_feature(feature, floors[feature.name], compared) for feature in alarming[:TOP])])
    more = f"; and {len(alarming) - TOP} more" if len(alarming) > TOP else ""
    severe = any(feature.severe for feature in alarming) or (score.joint is not None and score.joint.severe)
    return Outcome(Signal.SEVERE if severe else Signal.DRIFT, f"{subject}: {named}{more}")


def _together(joint: JointScore) -> str:
    severe = f", severe from {joint.floor + SEVERE_MARGIN:.2f}" if joint.severe else ""
    return f"a classifier tells them apart by {joint.distance:.2f} (floor {joint.floor:.2f}{severe}, p {joint.p:.1g})"


def _feature(score: FeatureScore, floor: float, compared: int) -> str:
    uncalibrated = "" if score.calibrated else ", uncalibrated"
    if score.unseen > max(UNSEEN_FLOOR, score.distance, score.missing_distance):
        return f"{score.name} holds {score.unseen:.0%} more values that are no known category ({score.rows} rows{uncalibrated})"
    if score.p is None or score.missing_distance > score.distance:
        return f"{score.name} is missing in {score.missing_distance:.0%} more or fewer rows (p {score.missing_p:.1g}{uncalibrated})"
    severe = f", severe from {floor + SEVERE_MARGIN:.2f}" if score.severe else ""
    return (
        f"{score.name} {score.distance:.2f} (floor {floor:.2f}{severe}, p {score.p:.1g}, n {score.rows} against {compared}{uncalibrated})"
    )
