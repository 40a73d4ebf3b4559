"""What the drift monitor's verdicts mean for a rollout, from the plainest to the subtlest.

    the candidate's answers are broken              refuse
    labels show that it predicts worse              as the manifest says: alert, hold, refuse
    labels come for one version more often          hold, where the manifest has anything held or refused on labels
    its requests differ from stable's               hold: what follows from predictions and labels would be about the clients
    its predictions differ, its requests do not     as the manifest says: alert, hold, refuse
    all requests differ from the reference          the world changed: alert or hold, never refuse
    predictions differ from their own evaluation's  alert: the world's or the serving's doing, and no comparison of the two versions
    the monitor is silent                           alert; hold only if the manifest has anything held or refused on its word

Unknown is not Clean: where the manifest asks for a gate, an unknown verdict holds, too.
"""

from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Drift, GroundTruth, OnInputDrift, OnSuspicion
from headgate_operator.api.status import DriftStatus, Signal
from headgate_operator.rollout.observed import DriftReport, Finding
from headgate_operator.rollout.refuse import refuse_candidate, refuse_promoted
from headgate_operator.rollout.turn import Turn, Wait
from headgate_operator.rollout.weights import on_trial

_SILENT: Final = "the drift monitor has no verdict about the present versions yet"


def record_drift(turn: Turn) -> Turn:
    """Keep what the monitor said last; while it is silent, what it said before."""
    report = turn.observed.drift
    if not turn.spec.observes_payloads:
        return turn if turn.status.drift is None else turn.with_status(drift=None)
    if report is None or report.error is not None:
        return turn
    said = DriftStatus(
        window=report.window, reference=report.reference, input=report.input.signal, candidate_input=report.candidate_input.signal,
        output=report.output.signal, candidate_output=report.candidate_output.signal, routing=report.routing.signal,
        prediction=report.prediction.signal, quality=report.quality.signal, ground_truth=report.ground_truth.signal,
        skill=report.skill.signal, top=list(report.top),
    )  # fmt: skip
    return turn if said == turn.status.drift else turn.with_status(drift=said)


def convict_on_drift(turn: Turn) -> Turn:
    """Refuse the version on trial if its answers are broken, or for what the manifest says is reason enough."""
    verdict = _verdict(turn)
    if verdict is None:
        return turn
    reason, message = verdict
    if turn.status.previous is not None:
        return refuse_promoted(turn, reason, message)
    return refuse_candidate(turn, reason, message)


def monitor_answers(turn: Turn) -> Wait | None:
    """Gate: the monitor can be asked, if anything hangs on its word."""
    report = turn.observed.drift
    if not _asks_for_gates(turn.spec.drift, turn.spec.ground_truth):
        return None
    if report is not None and report.error is None and report.trial == turn.candidate.id:
        return None
    error = report.error if report is not None and report.error is not None else _SILENT
    return Wait(reason=Reason.MONITOR_UNAVAILABLE, message=error, hold=True)


def same_clients(turn: Turn) -> Wait | None:
    """Gate: both versions get the same kind of requests."""
    return _holds(_about_trial(turn).routing, Reason.ROUTING_BIAS, unknown=False)


def world_as_trained(turn: Turn) -> Wait | None:
    """Gate: the requests are those of the training data, if the manifest wants to wait for that."""
    report, drift = turn.observed.drift, turn.spec.drift
    if drift is None or drift.on_input_drift is not OnInputDrift.HOLD or report is None:
        return None
    return _holds(report.input, Reason.WORLD_CHANGED, unknown=True)


def predictions_alike(turn: Turn) -> Wait | None:
    """Gate: the candidate predicts as expected, if the manifest wants that. Where it says Rollback, an unknown verdict still holds."""
    drift = turn.spec.drift
    if drift is None or drift.on_prediction_drift is OnSuspicion.ALERT:
        return None
    return _holds(_about_trial(turn).prediction, Reason.PREDICTIONS_DIFFER, unknown=True)


def labels_not_against(turn: Turn) -> Wait | None:
    """Gate: labels, as far as there are any, do not speak against the candidate. They may take days: none yet holds nothing."""
    truth = turn.spec.ground_truth
    if truth is None or truth.on_worse is OnSuspicion.ALERT:
        return None
    return _holds(_about_trial(turn).ground_truth, Reason.GROUND_TRUTH_WORSE, unknown=False)


def labels_comparable(turn: Turn) -> Wait | None:
    """Gate: labels come alike for both versions. What is missing for one of them might be just what speaks against it."""
    truth = turn.spec.ground_truth
    if truth is None or truth.on_worse is OnSuspicion.ALERT:
        return None
    return _holds(_about_trial(turn).coverage, Reason.LABELS_UNEVEN, unknown=False)


def _verdict(turn: Turn) -> tuple[Reason, str] | None:
    """Return why the version on trial is refused; it must get requests, and the version to return to must be serving."""
    other, drift, truth = on_trial(turn.status), turn.spec.drift, turn.spec.ground_truth
    if other is None or not _can_return(turn):
        return None
    said = _about_trial(turn)
    if said.quality.signal.alarms:
        return Reason.DATA_QUALITY_WORSE, said.quality.message
    by_labels = truth is not None and truth.on_worse is OnSuspicion.ROLLBACK and said.ground_truth.signal.alarms
    if by_labels and not said.routing.signal.alarms:
        return Reason.GROUND_TRUTH_WORSE, said.ground_truth.message
    rollback = drift is not None and drift.on_prediction_drift is OnSuspicion.ROLLBACK
    if rollback and said.prediction.signal.alarms and said.routing.signal is Signal.CLEAN:
        return Reason.PREDICTIONS_DIFFER, said.prediction.message
    return None


def _can_return(turn: Turn) -> bool:
    back = turn.status.previous or turn.status.stable
    return back is not None and turn.serving(back.isvc)


def _about_trial(turn: Turn) -> DriftReport:
    """Return what was said about the version on trial; what was said of any other says nothing."""
    report, status = turn.observed.drift, turn.status
    trial = status.candidate or (status.stable if status.previous is not None else None)
    known = report is not None and report.error is None and trial is not None and report.trial == trial.id
    return report if report is not None and known else DriftReport()


def _holds(finding: Finding, reason: Reason, *, unknown: bool) -> Wait | None:
    if finding.signal.alarms:
        return Wait(reason=reason, message=finding.message, hold=True)
    if unknown and finding.signal is Signal.UNKNOWN:
        return Wait(reason=Reason.MONITOR_UNAVAILABLE, message=finding.message or _SILENT, hold=True)
    return None


def _asks_for_gates(drift: Drift | None, truth: GroundTruth | None) -> bool:
    """Whether anything is held or refused on the monitor's word."""
    by_drift = drift is not None and (drift.on_input_drift is OnInputDrift.HOLD or drift.on_prediction_drift is not OnSuspicion.ALERT)
    return by_drift or (truth is not None and truth.on_worse is not OnSuspicion.ALERT)
