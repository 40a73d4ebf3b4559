"""The rollout in one pure function. Read the two tables: first what happened, then what follows.

Every rule looks at the whole situation and does nothing where it does not apply, so a pass that was lost, repeated or cut short by a
crash is made good by the next one. Order matters only where a comment says so.
"""

from collections.abc import Callable
from typing import Final

from headgate_operator.rollout.advance import advance
from headgate_operator.rollout.check_parity import check_parity
from headgate_operator.rollout.children import wanted_route, wanted_services
from headgate_operator.rollout.clock import correct_times
from headgate_operator.rollout.commands import obey_command
from headgate_operator.rollout.conditions import set_conditions
from headgate_operator.rollout.deadlines import enforce_deadlines
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.drain import deletions, finish_draining
from headgate_operator.rollout.drift import convict_on_drift, record_drift
from headgate_operator.rollout.evidence import convict, weigh_evidence
from headgate_operator.rollout.guard import guard_candidate, guard_watch
from headgate_operator.rollout.hooks import hear_hooks
from headgate_operator.rollout.marks import mark_registry, registry_writes
from headgate_operator.rollout.mend import mend
from headgate_operator.rollout.notify import log_phase, notify_calls
from headgate_operator.rollout.observed import Observed
from headgate_operator.rollout.pauses import count_pauses
from headgate_operator.rollout.phase import set_phase
from headgate_operator.rollout.promote import watch_over
from headgate_operator.rollout.readback import count_requests, read_back
from headgate_operator.rollout.record import record_changes
from headgate_operator.rollout.registry import follow_registry
from headgate_operator.rollout.restore import mind_hostname, pin_restored, restore_lost_state
from headgate_operator.rollout.retrain import retrain, run_request
from headgate_operator.rollout.revision import recognise
from headgate_operator.rollout.schedule import requeue_after
from headgate_operator.rollout.start import release_capacity, start_candidate
from headgate_operator.rollout.strategy import follow_strategy
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.withdraw import withdraw_unwanted

Rule = Callable[[Turn], Turn]

RULES: Final[tuple[Rule, ...]] = (
    mend,  # before anything trusts the status
    correct_times,
    restore_lost_state,  # before anything could take an empty status for a first revision
    pin_restored,
    mind_hostname,
    read_back,  # what the gateway carries, not what was wished
    record_drift,
    follow_registry,  # on record before anything is made of it
    obey_command,  # a person first
    withdraw_unwanted,  # then the manifest: superseded, cancelled, watch ended early
    guard_candidate,  # endpoints lost under traffic: before evidence, which cannot tell this from a bad model
    guard_watch,
    follow_strategy,
    weigh_evidence,
    convict,  # down before up
    convict_on_drift,
    watch_over,
    check_parity,
    hear_hooks,
    advance,  # one move up, through its gates
    count_pauses,
    enforce_deadlines,
    finish_draining,
    start_candidate,
    release_capacity,
    mark_registry,
    retrain,  # last: only if nothing is under way now
)

SUMMARY: Final[tuple[Rule, ...]] = (
    count_requests,
    record_changes,  # after every rule that moves traffic or tells why
    set_conditions,
    set_phase,  # reads the conditions
    log_phase,
)


def decide(observed: Observed) -> Decision:
    """Return what follows from an observation. Pure: the same observation gives the same decision."""
    turn = Turn(observed=observed, wanted=recognise(observed), status=observed.status)
    for rule in (*RULES, *SUMMARY):
        turn = rule(turn)
    return Decision(
        status=turn.status,
        services=wanted_services(turn),
        route=wanted_route(turn),
        delete=deletions(turn),
        notes=turn.notes,
        hooks=(*((turn.wait.asks,) if turn.wait is not None and turn.wait.asks is not None else ()), *notify_calls(turn)),
        registry_writes=tuple(registry_writes(turn)),
        run=run_request(turn),
        command_done=turn.command_done,
        requeue_after=requeue_after(turn),
    )
