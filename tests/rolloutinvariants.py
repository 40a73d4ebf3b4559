"""What holds after every pass of every rollout, whatever the test is about."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from headgate_operator.api.status import ChangeKind, ModelDeploymentStatus
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.observed import Observed
from headgate_operator.rollout.settled import settled
from headgate_operator.rollout.weights import committed, recorded
from tests.statetable import contradictions

if TYPE_CHECKING:
    from tests.rolloutworld import World


def check(world: "World", decision: Decision) -> None:
    """The invariants of every pass."""
    status = decision.status
    refused = {entry.id for entry in status.rejected}
    assert not (status.candidate and status.previous)
    assert status.candidate is None or status.candidate.id not in refused
    if decision.route is not None:
        check_route(decision)
    if status != world.status or world.status.candidate is not None:
        assert decision.requeue_after is not None or status.candidate is None
    assert decision.requeue_after is None or decision.requeue_after > timedelta(0)
    wanted = {service.isvc for service in decision.services}
    assert not wanted & set(decision.delete)
    routed = {backend.isvc for backend in decision.route.slots} if decision.route else set()
    routed |= {decision.route.mirror.isvc} if decision.route and decision.route.mirror else set()
    assert not routed & set(decision.delete)
    assert not decision.delete or world.route is None or world.route.accepted
    assert all(service.min_replicas >= 1 for service in decision.services)
    assert decide(world.observe()) == decision, "the same observation gives the same decision"
    check_record(world.status, decision)
    stored = ModelDeploymentStatus.model_validate_json(status.model_dump_json(by_alias=True))
    assert stored == status, "what is stored is what was decided"
    assert contradictions(status) == [], "the table of states in docs/concepts.md tells the truth"


def check_record(before: ModelDeploymentStatus, decision: Decision) -> None:
    """Every change of traffic is on record, with its cause, and told in an Event."""
    after = decision.status
    known = before.traffic_changes[-1].number if before.traffic_changes else 0
    new = {change.kind: change for change in after.traffic_changes if change.number > known}
    assert (ChangeKind.DECIDED in new) == (committed(before) != committed(after))
    assert (ChangeKind.CARRIED in new) or ChangeKind.EDITED in new or recorded(before) == recorded(after)
    if (change := new.get(ChangeKind.DECIDED)) is not None:
        assert {share.id: (share.weight, share.mirror) for share in change.after} == committed(after)
        assert change.message, f"nobody is told why: {decision.notes}"
        assert any(change.message in note.message for note in decision.notes)


def check_settled(world: "World", observed: Observed, decision: Decision) -> None:
    """Where the controller leaves out the look that reads back, that look would have had nothing to do."""
    again = settled(observed, decision)
    if again is not None:
        unanswered = replace(world.observe(), hooks=(), registry_answers=(), run_answers=())  # an answer would make it look
        assert decide(unanswered) == again, "a look at once would have found more to do"


def check_route(decision: Decision) -> None:
    assert decision.route is not None
    status, slots = decision.status, decision.route.slots
    assert status.stable is not None
    assert sum(backend.weight for backend in slots) == 100
    allowed = {version.id for version in (status.stable, status.candidate, status.previous) if version is not None}
    refused = {entry.id for entry in status.rejected}
    assert {backend.revision for backend in slots} <= allowed - refused
    slot_of = {version.slot for version in status.draining if version.slot is not None}
    mirror = decision.route.mirror
    assert mirror is None or (mirror.revision in allowed - refused - {status.stable.id} and 0 < mirror.percent <= 100)
    used = {position for position, backend in enumerate(slots) if backend.weight and backend.isvc != status.stable.isvc}
    assert not used & slot_of, "a slot is given again only after its answers in flight"
