"""What the drift monitor says, as conditions: there only while the manifest asks for a monitor."""

from collections.abc import Iterator
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Condition, ConditionStatus, ConditionType, Signal
from headgate_operator.rollout.condition import before, condition
from headgate_operator.rollout.observed import DriftReport, Finding
from headgate_operator.rollout.turn import Turn

_ALARMS: Final = {
    ConditionType.INPUT_DRIFT: Reason.WORLD_CHANGED,
    ConditionType.PREDICTION_DRIFT: Reason.PREDICTIONS_DIFFER,
    ConditionType.DATA_QUALITY: Reason.DATA_QUALITY_WORSE,
    ConditionType.GROUND_TRUTH: Reason.GROUND_TRUTH_WORSE,
    ConditionType.SKILL_DROP: Reason.SKILL_DROPPED,
}

_ANNOUNCED: Final = {reason.value: reason for reason in (*_ALARMS.values(), Reason.PREDICTIONS_MOVED, Reason.MONITOR_UNAVAILABLE)}

_GOOD_WHEN_TRUE: Final = {ConditionType.DATA_QUALITY, ConditionType.GROUND_TRUTH}
"""The others are named after what is wrong."""


def drift_conditions(turn: Turn) -> Iterator[Condition]:
    """Yield what the monitor said last. What it does not answer again stays as it was, and MonitorAvailable says so."""
    if not turn.spec.observes_payloads or turn.status.stable is None:
        return
    report = turn.observed.drift
    if report is None or report.error is not None:
        yield from _kept(turn, *(kind for kind in _ALARMS if _wanted(turn, kind)))
    if report is None:  # not asked in this pass
        yield from _kept(turn, ConditionType.MONITOR_AVAILABLE)
    elif report.error is not None:
        yield condition(turn, ConditionType.MONITOR_AVAILABLE, ConditionStatus.FALSE, Reason.MONITOR_UNAVAILABLE, report.error)
    else:
        yield condition(turn, ConditionType.MONITOR_AVAILABLE, ConditionStatus.TRUE, Reason.READY, "its verdicts were read")
        findings = (report.input, _of_predictions(report), report.quality, report.ground_truth, report.skill)
        for kind, finding in zip(_ALARMS, findings, strict=True):
            if _wanted(turn, kind):
                moved = kind is ConditionType.PREDICTION_DRIFT and finding is not report.prediction
                yield _said(turn, kind, finding, Reason.PREDICTIONS_MOVED if moved else _ALARMS[kind])


def announce_drift(turn: Turn) -> Turn:
    """An Event when an alarm begins, and when the monitor falls silent."""
    for now in turn.status.conditions:
        alarm = _ANNOUNCED.get(now.reason) if now.type in (*_ALARMS, ConditionType.MONITOR_AVAILABLE) else None
        earlier = before(turn, now.type)
        if alarm is not None and (earlier is None or earlier.reason != alarm):
            turn = turn.note(alarm, now.message, warning=True)
    return turn


def _wanted(turn: Turn, kind: ConditionType) -> bool:
    """Whether the manifest asks for it: labels are not for everybody."""
    triggers = turn.spec.retraining.on if turn.spec.retraining is not None else None
    if kind is ConditionType.GROUND_TRUTH:
        return turn.spec.ground_truth is not None
    if kind is ConditionType.SKILL_DROP:
        return triggers is not None and (triggers.skill_drop is not None or triggers.accuracy_drop is not None)
    return True


def _of_predictions(report: DriftReport) -> Finding:
    """The candidate's predictions beside stable's; those of each version beside its evaluation's where only they say something."""
    moved = [finding for finding in (report.output, report.candidate_output) if finding.signal.alarms]
    if moved and not report.prediction.signal.alarms:
        return Finding(signal=moved[0].signal, message="; ".join(finding.message for finding in moved))
    alone = report.trial is None and report.output.signal is Signal.CLEAN
    return report.output if alone else report.prediction


def _said(turn: Turn, kind: ConditionType, finding: Finding, alarm: Reason) -> Condition:
    good, bad = ConditionStatus.TRUE, ConditionStatus.FALSE
    if kind not in _GOOD_WHEN_TRUE:
        good, bad = bad, good
    if finding.signal is Signal.UNKNOWN:
        message = finding.message or "there is not enough traffic for a verdict yet"
        return condition(turn, kind, ConditionStatus.UNKNOWN, Reason.INSUFFICIENT_DATA, message)
    if finding.signal.alarms:
        return condition(turn, kind, bad, alarm, finding.message)
    return condition(turn, kind, good, Reason.NO_DRIFT, finding.message)


def _kept(turn: Turn, *kinds: ConditionType) -> Iterator[Condition]:
    for kind in kinds:
        earlier = before(turn, kind)
        if earlier is not None:
            yield changed(earlier, observed_generation=turn.observed.subject.generation)
