"""Gates about everything but evidence: people, the manifest, the fleet, hooks, replicas, the route."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import HookType
from headgate_operator.rollout.fleet import frozen
from headgate_operator.rollout.hooks import hook_wait
from headgate_operator.rollout.replicas import candidate_min, next_step, starting_min
from headgate_operator.rollout.strategy import is_shadow, where_it_stands
from headgate_operator.rollout.turn import Turn, Wait
from headgate_operator.rollout.weights import carries, free_slot


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


def written(turn: Turn) -> Wait | None:
    """The API server, and KServe's webhooks behind it, took its InferenceService."""
    refusal = turn.observed.refused.get(turn.candidate.id)
    return Wait(reason=Reason.INVALID_SPEC, message=refusal, hold=True) if refusal is not None else None


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


def _replicas_ready(turn: Turn, minimum: int, *, hold: bool) -> Wait | None:
    service = turn.service(turn.candidate.isvc)
    if service is not None and service.ready_to_start(minimum):
        return None
    available = service.available_replicas if service is not None else 0
    why = f": {service.not_ready}" if service is not None and service.not_ready else ""
    message = f"{turn.candidate.id} has {available} of {minimum} replicas ready{why}"
    return Wait(reason=Reason.CANDIDATE_STARTING, message=message, hold=hold)
