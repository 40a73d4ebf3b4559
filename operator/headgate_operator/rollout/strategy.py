"""Mirrored strategies: a candidate that gets copies of the requests, whose answers no client sees, until one switch makes it stable.

    BlueGreen   full capacity → parity → mirror, judged → pauses, if any → switch → watch
    Shadow      capacity for its copies → parity → mirror, judged → ShadowReady, until promote@ → full capacity → switch → watch

Everything else is as with a canary, whose one step the mirror is. What the evidence from copies is worth: docs/architecture.md.
"""

from dataclasses import replace
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec, Strategy
from headgate_operator.api.status import Candidate, Waiver
from headgate_operator.rollout.turn import Turn, Wait

_COUNTING: Final = frozenset({Reason.ANALYSING, Reason.INSUFFICIENT_DATA})


def is_mirrored(spec: ModelDeploymentSpec) -> bool:
    """Whether candidates are judged on copies of the requests."""
    return spec.rollout.strategy is not Strategy.CANARY


def is_shadow(spec: ModelDeploymentSpec) -> bool:
    """Whether only a person lets a candidate take over."""
    return spec.rollout.strategy is Strategy.SHADOW


def mirrored_capacity(spec: ModelDeploymentSpec, candidate: Candidate) -> int:
    """Return the percent of stable's replicas that a mirrored candidate needs: all of them before the switch, which has no steps."""
    return spec.rollout.shadow_percent if is_shadow(spec) and not _is_sent_on(candidate) else 100


def what_it_gets(candidate: Candidate) -> str:
    """Say what share of the requests a candidate shall get."""
    return f"a copy of {candidate.mirror}% of the requests" if candidate.mirror else f"{candidate.weight}% of the traffic"


def where_it_stands(candidate: Candidate) -> str:
    """Say the same as the place of a comparison."""
    return f"on copies of {candidate.mirror}% of the requests" if candidate.mirror else f"at {candidate.weight}%"


def follow_strategy(turn: Turn) -> Turn:
    """Let a candidate under way begin anew, with the evidence it has, by the strategy that the manifest says now.

    Nothing is lost by it: what a change takes from the candidate is traffic, or copies, and both come back only through the gates of a
    first step. Another `shadowPercent` is followed on the spot.
    """
    candidate = turn.status.candidate
    if candidate is None or not candidate.gets_requests or turn.spec.paused or candidate.paused or turn.wanted.problem is not None:
        return turn
    if is_mirrored(turn.spec) and candidate.mirror:
        percent = turn.spec.rollout.shadow_percent
        if candidate.mirror == percent:
            return turn
        turn = turn.with_candidate(mirror=percent, step_started_at=None)
        return turn.note(Reason.STRATEGY_CHANGED, f"{candidate.id} gets {what_it_gets(turn.candidate)} from now on", revision=candidate.id)
    if is_mirrored(turn.spec) == (candidate.mirror > 0):
        return turn
    message = f"{candidate.id} got {what_it_gets(candidate)} and begins anew as {turn.spec.rollout.strategy}, with the evidence it has"
    fresh = {"hold_since": None, "hold_reason": None, "reason_since": None, "waived": None, "at_pause": False, "pause_passed": False}
    turn = turn.with_candidate(weight=0, mirror=0, step=-1, step_started_at=None, step_requests=0, **fresh)
    return turn.note(Reason.STRATEGY_CHANGED, message, revision=candidate.id)


def as_a_shadow_waits(turn: Turn, wait: Wait) -> Wait:
    """Give what a shadow waits for its own name: it holds nothing up, and counts towards no deadline."""
    if not is_shadow(turn.spec) or not turn.candidate.mirror or _is_sent_on(turn.candidate) or wait.reason not in _COUNTING:
        return wait
    return replace(wait, reason=Reason.SHADOWING, hold=False)


def _is_sent_on(candidate: Candidate) -> bool:
    """Whether a person said that it shall take over."""
    return candidate.pause_passed or candidate.promote_now or candidate.waived is Waiver.HOLDS
