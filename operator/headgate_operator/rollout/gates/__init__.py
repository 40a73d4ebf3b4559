"""Gates: small questions a candidate must answer before it goes on, each `Turn -> Wait | None`. The first that says no is the reason shown.

The chains read like the rule book; `advance` picks the one for where the candidate stands.
"""

from collections.abc import Callable, Mapping
from typing import Final

from headgate_operator.api.status import Waiver
from headgate_operator.rollout.check_parity import parity_passed
from headgate_operator.rollout.drift import (
    labels_comparable,
    labels_not_against,
    monitor_answers,
    predictions_alike,
    same_clients,
    world_as_trained,
)
from headgate_operator.rollout.gates.evidence import (
    candidate_gets_traffic,
    data_complete,
    metrics_read,
    no_fail_streak,
    nothing_against_it,
    objective_met,
    promotion_evidence,
    provider_answers,
    split_matches,
    step_lasted,
    step_used,
)
from headgate_operator.rollout.gates.standing import (
    breaker_closed,
    capacity,
    manifest_sound,
    name_is_ours,
    not_frozen,
    not_paused,
    pause_passed,
    pre_promotion_passed,
    pre_rollout_passed,
    route_settled,
    slot_free,
    stable_serving,
    started,
    written,
)
from headgate_operator.rollout.turn import Turn, Wait

Gate = Callable[[Turn], Wait | None]

_STARTED: Final[tuple[Gate, ...]] = (
    not_paused,
    manifest_sound,
    name_is_ours,
    written,
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
    no_fail_streak,
    labels_not_against,
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

_COUNTED: Final[tuple[Gate, ...]] = (
    metrics_read,
    provider_answers,
    step_lasted,
    data_complete,
    candidate_gets_traffic,
    split_matches,
    step_used,
)
"""What the requests of a step have to show."""

_MONITORED: Final[tuple[Gate, ...]] = (
    monitor_answers,
    same_clients,
    labels_comparable,
    world_as_trained,
    predictions_alike,
)
"""What the monitor has to say about them."""

_STEP_DONE: Final[tuple[Gate, ...]] = (
    not_paused,
    not_frozen,
    manifest_sound,
    name_is_ours,
    route_settled,
    stable_serving,
    breaker_closed,
    nothing_against_it,
    *_COUNTED,
    no_fail_streak,  # not among the waivers: what speaks against the candidate is never waived
    labels_not_against,
    *_MONITORED,
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
            *_COUNTED,
            objective_met,
            promotion_evidence,
            breaker_closed,
            *_MONITORED,
        }
    ),
    Waiver.DATA: frozenset({step_used, promotion_evidence}),
}
"""Gates that a candidate with that waiver no longer has to pass. None of them guards serving itself."""
