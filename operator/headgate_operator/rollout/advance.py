"""The way up: first weight, next step, back to the step after a pause, promotion. One move a pass, and only through its gates."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.rollout import gates
from headgate_operator.rollout.gates import Gate
from headgate_operator.rollout.promote import promote, promote_first
from headgate_operator.rollout.replicas import next_step
from headgate_operator.rollout.strategy import as_a_shadow_waits, is_mirrored, what_it_gets
from headgate_operator.rollout.turn import Turn, Wait
from headgate_operator.rollout.weights import free_slot

Move = Callable[[Turn], Turn]

QUIET_HOLDS: Final = frozenset(
    {
        Reason.INSUFFICIENT_DATA,
        Reason.WAITING_FOR_SLOT,
        Reason.WAITING_FOR_HOOK,
        Reason.CANDIDATE_STARTING,
        Reason.ROUTE_PENDING,
        Reason.ANALYSING,
        Reason.MONITOR_UNAVAILABLE,
    }
)
"""Holds that belong to an ordinary rollout: they count towards holdTimeout, but nobody needs to be told."""


def advance(turn: Turn) -> Turn:
    """Move the candidate on if every gate of its next move is open; otherwise say which one is not."""
    if turn.status.candidate is None or turn.blocked is not None:
        return turn
    chain, move = _next_move(turn)
    waived = gates.WAIVED[turn.candidate.waived] if turn.candidate.waived is not None else frozenset()
    wait = next((wait for gate in chain if gate not in waived and (wait := gate(turn)) is not None), None)
    return move(turn) if wait is None else _wait(turn, as_a_shadow_waits(turn, wait))


def _next_move(turn: Turn) -> tuple[tuple[Gate, ...], Move]:
    candidate = turn.candidate
    if turn.status.stable is None:
        return gates.FIRST_REVISION, promote_first
    if candidate.known_good:
        return gates.TAKE_OVER, promote
    if candidate.promote_now:
        return gates.STRAIGHT_ON, promote
    if not candidate.gets_requests:
        return (gates.FIRST_STEP if candidate.step < 0 else gates.BACK_TO_STEP), _next_step
    return (gates.PROMOTION, promote) if next_step(turn.spec, candidate) is None else (gates.NEXT_STEP, _next_step)


def _next_step(turn: Turn) -> Turn:
    """Commit to the weight of the next step, or to the mirror. The step begins when the route is seen to carry it.

    A mirrored version has its slot from now on: nobody may take the place that it will need for the switch.
    """
    candidate, steps = turn.candidate, turn.spec.rollout.stages
    step = next_step(turn.spec, candidate)
    assert step is not None
    service = turn.service(candidate.isvc)
    turn = turn.with_candidate(
        step=step,
        weight=max(steps[step].weight, candidate.weight),
        mirror=turn.spec.rollout.shadow_percent if is_mirrored(turn.spec) else 0,
        slot=candidate.slot if candidate.slot is not None else free_slot(turn.status),
        step_started_at=None,
        step_requests=candidate.step_requests if step == candidate.step else 0,
        unready=False,
        suspended_since=None,
        restarts=service.restarts if service is not None else 0,
        disturbed=False,
        hold_since=None,
        hold_reason=None,
        reason_since=None,
        waived=None,
        at_pause=False,
        pause_passed=False,
    )
    if turn.candidate.mirror:
        return turn.note(Reason.MIRROR_STARTED, f"{candidate.id} gets {what_it_gets(turn.candidate)}", revision=candidate.id)
    message = f"{candidate.id} gets {what_it_gets(turn.candidate)} (step {step + 1} of {len(steps)})"
    return turn.note(Reason.STEP_STARTED, message, revision=candidate.id)


def _wait(turn: Turn, wait: Wait) -> Turn:
    """Keep the weights, say why, and keep the time since when."""
    candidate = turn.candidate
    at_pause = wait.reason in (Reason.PAUSE_STEP, Reason.SHADOW_READY)
    turn = replace(turn, wait=wait)
    if at_pause and not candidate.at_pause:
        turn = turn.note(wait.reason, wait.message, revision=candidate.id)
    if not wait.hold:
        return turn.with_candidate(at_pause=at_pause, hold_since=None, hold_reason=None, reason_since=None)
    same = candidate.reason_since if candidate.hold_reason == wait.reason else None
    turn = turn.with_candidate(
        at_pause=at_pause, hold_since=candidate.hold_since or turn.now, hold_reason=str(wait.reason), reason_since=same or turn.now
    )
    if candidate.hold_reason == wait.reason or wait.reason in QUIET_HOLDS:
        return turn
    return turn.note(wait.reason, wait.message, revision=candidate.id, warning=True)
