"""Gates: small questions a candidate must answer before it goes on, each `Turn -> Wait | None`. The first that says no is the reason shown.

The chains at the end read like the rule book; `advance` picks the one for where the candidate stands.
"""

from collections.abc import Callable, Mapping
from typing import Final

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import HookType
from headgate_operator.api.status import Verdict, Waiver
from headgate_operator.rollout.analysis import failing
from headgate_operator.rollout.check_parity import parity_passed
from headgate_operator.rollout.drift import labels_not_against, monitor_answers, predictions_alike, same_clients, world_as_trained
from headgate_operator.rollout.evidence import worse_reason
from headgate_operator.rollout.fleet import frozen
from headgate_operator.rollout.hooks import hook_wait
from headgate_operator.rollout.replicas import candidate_min, current_step, next_step, starting_min
from headgate_operator.rollout.strategy import is_shadow, where_it_stands
from headgate_operator.rollout.turn import Turn, Wait
from headgate_operator.rollout.weights import carries, free_slot

Gate = Callable[[Turn], Wait | None]


def not_paused(turn: Turn) -> Wait | None:
    """Nobody paused it. Asked first, so that a pause is what people see; the way down has no gates, so it does not ask."""
    candidate = turn.candidate
    if candidate.paused:
        return Wait(reason=Reason.PAUSED, message=f"{candidate.id} was paused by a person; resume@{candidate.id} lets it go on")
    if turn.spec.paused and candidate.return_from is None:  # a person's way back is a way down
        return Wait(reason=Reason.PAUSED, message="the manifest says paused: true; the weights stay where they are")
    return None


def not_frozen(turn: Turn) -> Wait | None:
    """No freeze window is in effect. Not asked on any way back, and passed by no command."""
    return frozen(turn)


def breaker_closed(turn: Turn) -> Wait | None:
    """It is not the whole fleet that cannot read its metrics."""
    breaker = turn.observed.fleet.breaker
    return Wait(reason=Reason.BREAKER_OPEN, message=breaker, hold=True) if breaker is not None else None


def pause_passed(turn: Turn) -> Wait | None:
    """No pause step stands before what comes next, or a person passed it. Asked last: whoever is called finds everything else done."""
    candidate, rollout = turn.candidate, turn.spec.rollout
    step = next_step(turn.spec, candidate)
    pause = rollout.pause_at_end if step is None else rollout.stages[step].pause_before
    if candidate.pause_passed:
        return None
    if step is None and is_shadow(turn.spec):
        message = f"{candidate.id} is good enough to take over; promote@{candidate.id} lets it"
        return Wait(reason=Reason.SHADOW_READY, message=message)
    if not pause:
        return None
    message = f"{candidate.id} waits at a pause step, {where_it_stands(candidate)}; promote@{candidate.id} lets it go on"
    return Wait(reason=Reason.PAUSE_STEP, message=message)


def pre_rollout_passed(turn: Turn) -> Wait | None:
    """Its pre-rollout hooks agreed. Asked when it is ready, before its first request; no command passes this gate."""
    return hook_wait(turn, HookType.PRE_ROLLOUT)


def pre_promotion_passed(turn: Turn) -> Wait | None:
    """Its pre-promotion hooks agreed. Asked when only people may still be waited for; no command passes this gate."""
    return hook_wait(turn, HookType.PRE_PROMOTION)


def manifest_sound(turn: Turn) -> Wait | None:
    """A manifest that breaks a rule moves nothing. A runtime deleted after the start does not matter: its copy is pinned."""
    problem = turn.wanted.problem
    if problem is None or problem[0] is not Reason.INVALID_SPEC:
        return None
    return Wait(reason=problem[0], message=problem[1], hold=True)


def name_is_ours(turn: Turn) -> Wait | None:
    """An InferenceService that is not ours is never adopted."""
    service = turn.observed.services.get(turn.candidate.isvc)
    if service is None or service.ours:
        return None
    message = f"an InferenceService {service.name} exists and belongs to somebody else: delete it"
    return Wait(reason=Reason.NAME_TAKEN, message=message, hold=True)


def started(turn: Turn) -> Wait | None:
    """Everything is rolled out and its first replicas are available."""
    return _replicas_ready(turn, starting_min(turn.spec, turn.status), hold=False)


def capacity(turn: Turn) -> Wait | None:
    """The replicas for the weight it is about to get are available."""
    return _replicas_ready(turn, candidate_min(turn.spec, turn.status, turn.now), hold=turn.candidate.step >= 0)


def slot_free(turn: Turn) -> Wait | None:
    """It has a position in the route, or one is free; answers in flight from a replaced version outlive weight 0."""
    if turn.candidate.slot is not None or free_slot(turn.status) is not None:
        return None
    leavers = ", ".join(version.id for version in turn.status.draining if version.slot is not None)
    return Wait(reason=Reason.WAITING_FOR_SLOT, message=f"answers of {leavers} may still be in flight", hold=True)


def route_settled(turn: Turn) -> Wait | None:
    """The last decision about weights has been carried out; two at once could not be told apart when read back."""
    if carries(turn.observed.route, turn.status):
        return None
    return Wait(reason=Reason.ROUTE_PENDING, message="the gateway has not accepted the decided weights yet", hold=True)


def stable_serving(turn: Turn) -> Wait | None:
    """There is a stable version to compare with and to go back to."""
    stable = turn.status.stable
    if stable is None or turn.serving(stable.isvc):
        return None
    return Wait(reason=Reason.STABLE_UNAVAILABLE, message=f"the stable version {stable.id} has no available replica", hold=True)


def nothing_against_it(turn: Turn) -> Wait | None:
    """No metric's evidence had reached its bound when it was last read. No command passes this gate."""
    analysis = turn.status.analysis
    against = [metric for metric in analysis.metrics if metric.verdict is Verdict.WORSE] if analysis is not None else []
    if not against:
        return None
    reason = worse_reason(turn.spec, against[0].name)
    return Wait(reason=reason, message=f"{against[0].name}: {against[0].message}", hold=True)


def no_fail_streak(turn: Turn) -> Wait | None:
    """The newest block has a good answer in it. Too few failures to convict are still no reason to give it more traffic."""
    analysis = turn.status.analysis
    by_name = {metric.name: metric for metric in turn.spec.analysis.metrics}
    streaks = (state for state in (analysis.metrics if analysis is not None else ()) if state.name in by_name)
    state = next((state for state in streaks if failing(by_name[state.name], state)), None)
    if state is None:
        return None
    requests = state.fail_streak.requests
    message = f"{state.name}: the last {requests} candidate requests failed, every one; a good answer has to come first"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def metrics_read(turn: Turn) -> Wait | None:
    """The metrics were read in this pass; if not, whatever held before holds on."""
    if turn.analysis is not None:
        return None
    held = next((reason for reason in Reason if reason == turn.candidate.hold_reason), None)
    return Wait(reason=held or Reason.ANALYSING, message=_comparing(turn), hold=held is not None)


def provider_answers(turn: Turn) -> Wait | None:
    """The metric provider can be read. An outage of it must not roll anything back, nor let anything pass."""
    return _metric_says(turn, Verdict.PROVIDER_ERROR, Reason.PROVIDER_ERROR)


def data_complete(turn: Turn) -> Wait | None:
    """It knows both versions. Asked after the step's duration: a new backend's counters appear with its first requests."""
    return _metric_says(turn, Verdict.NO_DATA, Reason.NO_DATA)


def candidate_gets_traffic(turn: Turn) -> Wait | None:
    """Requests really reach it."""
    assert turn.analysis is not None
    if turn.analysis.no_traffic is None:
        return None
    return Wait(reason=Reason.NO_TRAFFIC, message=turn.analysis.no_traffic, hold=True)


def split_matches(turn: Turn) -> Wait | None:
    """Its share of the requests is what its weight says; else the two versions may not be asked by the same clients."""
    assert turn.analysis is not None
    if turn.analysis.split_mismatch is None:
        return None
    return Wait(reason=Reason.SPLIT_MISMATCH, message=turn.analysis.split_mismatch, hold=True)


def step_lasted(turn: Turn) -> Wait | None:
    """The step's shortest duration has passed."""
    step, since = current_step(turn.spec, turn.candidate), turn.candidate.step_started_at
    if since is not None and turn.now >= since + step.min_duration:
        return None
    return Wait(reason=Reason.ANALYSING, message=f"{_comparing(turn)} for at least {format_duration(step.min_duration)}")


def step_used(turn: Turn) -> Wait | None:
    """Enough of its requests were analysed in this step."""
    step, seen = current_step(turn.spec, turn.candidate), turn.candidate.step_requests
    if seen >= step.min_requests:
        return None
    message = f"{seen} of {step.min_requests} candidate requests {where_it_stands(turn.candidate)}"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def objective_met(turn: Turn) -> Wait | None:
    """No declared maximum is missed. Asked before promotion only, and never a reason to roll back while stable serves."""
    return _metric_says(turn, Verdict.OBJECTIVE_MISSED, Reason.OBJECTIVE_MISSED)


def promotion_evidence(turn: Turn) -> Wait | None:
    """Every metric says not worse, unless the manifest does without: then no evidence against it is enough."""
    assert turn.analysis is not None
    if turn.analysis.promotable or not turn.spec.analysis.require_promotion_evidence:
        return None
    open_metrics = [outcome for outcome in turn.analysis.outcomes if outcome.verdict is not Verdict.NOT_WORSE]
    message = "; ".join(f"{outcome.metric}: {outcome.message}" for outcome in open_metrics) or "no evidence yet"
    return Wait(reason=Reason.INSUFFICIENT_DATA, message=message, hold=True)


def _metric_says(turn: Turn, verdict: Verdict, reason: Reason) -> Wait | None:
    assert turn.analysis is not None
    outcome = next((outcome for outcome in turn.analysis.outcomes if outcome.verdict is verdict), None)
    return Wait(reason=reason, message=f"{outcome.metric}: {outcome.message}", hold=True) if outcome is not None else None


def _replicas_ready(turn: Turn, minimum: int, *, hold: bool) -> Wait | None:
    service = turn.service(turn.candidate.isvc)
    if service is not None and service.ready_to_start(minimum):
        return None
    available = service.available_replicas if service is not None else 0
    why = f": {service.not_ready}" if service is not None and service.not_ready else ""
    message = f"{turn.candidate.id} has {available} of {minimum} replicas ready{why}"
    return Wait(reason=Reason.CANDIDATE_STARTING, message=message, hold=hold)


def _comparing(turn: Turn) -> str:
    return f"{turn.candidate.id} is compared with the stable version {where_it_stands(turn.candidate)}"


_STARTED: Final[tuple[Gate, ...]] = (
    not_paused,
    manifest_sound,
    name_is_ours,
    started,
    parity_passed,  # even a first revision must answer as it was trained
)

FIRST_REVISION: Final[tuple[Gate, ...]] = (
    *_STARTED,
    pre_rollout_passed,
)

TAKE_OVER: Final[tuple[Gate, ...]] = (
    *_STARTED,  # no hooks: a way back waits for nobody
    slot_free,
    route_settled,  # no gate on stable: this is also the way out when stable is broken
)

STRAIGHT_ON: Final[tuple[Gate, ...]] = (
    *TAKE_OVER,
    not_frozen,
    breaker_closed,
    nothing_against_it,
    capacity,
    pre_rollout_passed,
    pre_promotion_passed,
)

FIRST_STEP: Final[tuple[Gate, ...]] = (
    *_STARTED,
    not_frozen,
    breaker_closed,
    slot_free,
    route_settled,
    stable_serving,
    capacity,
    pre_rollout_passed,
    pause_passed,
)

BACK_TO_STEP: Final[tuple[Gate, ...]] = (
    not_paused,
    not_frozen,
    breaker_closed,
    name_is_ours,
    route_settled,  # weight 0 was really in effect
    stable_serving,
    capacity,
)

_STEP_DONE: Final[tuple[Gate, ...]] = (
    not_paused,
    not_frozen,
    manifest_sound,
    name_is_ours,
    route_settled,
    stable_serving,
    breaker_closed,
    nothing_against_it,
    metrics_read,
    provider_answers,
    step_lasted,
    data_complete,
    candidate_gets_traffic,
    split_matches,
    step_used,
    no_fail_streak,  # not among the waivers: what speaks against the candidate is never waived
    labels_not_against,
    monitor_answers,
    same_clients,
    world_as_trained,
    predictions_alike,
    capacity,
)

NEXT_STEP: Final[tuple[Gate, ...]] = (
    *_STEP_DONE,
    pause_passed,
)

PROMOTION: Final[tuple[Gate, ...]] = (
    *_STEP_DONE,
    objective_met,
    promotion_evidence,
    pre_promotion_passed,
    pause_passed,
)

WAIVED: Final[Mapping[Waiver, frozenset[Gate]]] = {
    Waiver.HOLDS: frozenset(
        {
            metrics_read,
            provider_answers,
            step_lasted,
            data_complete,
            candidate_gets_traffic,
            split_matches,
            step_used,
            objective_met,
            promotion_evidence,
            breaker_closed,
            monitor_answers,
            same_clients,
            world_as_trained,
            predictions_alike,
        }
    ),
    Waiver.DATA: frozenset({step_used, promotion_evidence}),
}
"""Gates that a candidate with that waiver no longer has to pass. None of them guards serving itself."""
