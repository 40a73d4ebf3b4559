"""Conditions as kstatus reads them: `Ready`, and `Reconciling` or `Stalled` only while they are true, beside two of our own.

Derived once, at the end of a pass, from everything else; no rule ever reads them. Transition times are kept while the status word stays.
"""

from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Candidate, Condition, ConditionStatus, ConditionType, Verdict
from headgate_operator.rollout.condition import before, condition
from headgate_operator.rollout.drift_conditions import announce_drift, drift_conditions
from headgate_operator.rollout.registry import announce_registry, registry_conditions
from headgate_operator.rollout.stall import stalled
from headgate_operator.rollout.strategy import what_it_gets
from headgate_operator.rollout.turn import Turn, Wait
from headgate_operator.rollout.weights import carries

_TRUE, _FALSE, _UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
_UNAVAILABLE: Final = {Verdict.PROVIDER_ERROR: Reason.PROVIDER_ERROR, Verdict.NO_DATA: Reason.NO_DATA}


def set_conditions(turn: Turn) -> Turn:
    """Write all conditions, and tell people when one of the two alarming ones begins."""
    stall = stalled(turn)
    conditions = [_ready(turn)]
    if stall is not None:
        conditions.append(condition(turn, ConditionType.STALLED, _TRUE, stall.reason, stall.message))
    elif (moving := _moving(turn)) is not None:
        conditions.append(condition(turn, ConditionType.RECONCILING, _TRUE, moving.reason, moving.message))
    conditions += [_candidate_accepted(turn), _analysis_available(turn), *drift_conditions(turn), *registry_conditions(turn)]
    return announce_registry(announce_drift(_announce(turn.with_status(conditions=conditions), stall)))


def _announce(turn: Turn, stall: Wait | None) -> Turn:
    """Events for a stall that was not one before (refusals have had their own), and for a stable version that went away."""
    earlier = {(known.type, known.reason) for known in turn.observed.status.conditions}
    told = stall is None or stall.reason is Reason.CANDIDATE_REJECTED or stall.message in turn.observed.refused.values()
    if stall is not None and not told and (ConditionType.STALLED, stall.reason) not in earlier:
        turn = turn.note(stall.reason, stall.message, warning=True)
    ready = turn.status.conditions[0]
    was_ready = any(c.type is ConditionType.READY and c.status is _TRUE for c in turn.observed.status.conditions)
    if was_ready and ready.reason == Reason.STABLE_UNAVAILABLE:
        turn = turn.note(Reason.STABLE_UNAVAILABLE, ready.message, warning=True)
    return turn


def _ready(turn: Turn) -> Condition:
    stable = turn.status.stable
    if stable is None:
        reason, message = Reason.WAITING_FOR_FIRST, "no version serves yet"
    elif not turn.serving(stable.isvc):
        reason, message = Reason.STABLE_UNAVAILABLE, f"{stable.id} has no available replica"
    elif not turn.status.traffic:
        reason, message = Reason.ROUTE_PENDING, "the gateway has not accepted the route yet"
    else:
        return condition(turn, ConditionType.READY, _TRUE, Reason.HEALTHY, f"{stable.id} ({stable.version}) serves")
    return condition(turn, ConditionType.READY, _FALSE, reason, message)


def _moving(turn: Turn) -> Wait | None:
    status = turn.status
    if turn.wait is not None:
        return turn.wait
    if status.candidate is not None:
        return _just_moved(status.candidate)
    if status.previous is not None and status.stable is not None:
        message = f"{status.stable.id} was promoted and is compared with {status.previous.id}"
        return Wait(reason=Reason.WATCHING, message=message)
    if status.stable is None or turn.requested:
        return Wait(reason=Reason.CANDIDATE_STARTING, message=f"{turn.wanted.id} is about to start")
    if not carries(turn.observed.route, status):
        return Wait(reason=Reason.ROUTE_PENDING, message="the gateway has not accepted the route as it is now")
    return None


def _candidate_accepted(turn: Turn) -> Condition:
    status, kind = turn.status, ConditionType.CANDIDATE_ACCEPTED
    refused = next((entry for entry in status.rejected if entry.id == turn.wanted.id), None)
    if refused is not None:
        return condition(turn, kind, _FALSE, refused.reason, refused.message)
    if status.candidate is not None:
        wait = turn.wait or _just_moved(status.candidate)
        return condition(turn, kind, _UNKNOWN, wait.reason, wait.message)
    if status.stable is not None and status.stable.id == turn.wanted.id:
        return condition(turn, kind, _TRUE, Reason.PROMOTED, f"{status.stable.id} is the stable version")
    return condition(turn, kind, _UNKNOWN, Reason.NO_CANDIDATE, Reason.NO_CANDIDATE.explanation)


def _just_moved(candidate: Candidate) -> Wait:
    if not candidate.gets_requests:
        return Wait(reason=Reason.CANDIDATE_STARTED, message=f"{candidate.id} is being started")
    reason = Reason.MIRROR_STARTED if candidate.mirror else Reason.STEP_STARTED
    return Wait(reason=reason, message=f"{candidate.id} gets {what_it_gets(candidate)}")


def _analysis_available(turn: Turn) -> Condition:
    kind = ConditionType.ANALYSIS_AVAILABLE
    if turn.status.analysis is None:
        return condition(turn, kind, _UNKNOWN, Reason.NO_CANDIDATE, "nothing is compared")
    earlier = before(turn, kind)
    if turn.analysis is None and earlier is not None and earlier.status is not _UNKNOWN:
        return changed(earlier, observed_generation=turn.observed.subject.generation)
    for outcome in turn.analysis.outcomes if turn.analysis is not None else ():
        if outcome.verdict in _UNAVAILABLE:
            return condition(turn, kind, _FALSE, _UNAVAILABLE[outcome.verdict], f"{outcome.metric}: {outcome.message}")
    return condition(turn, kind, _TRUE, Reason.READY, "the metrics of both versions are read")
