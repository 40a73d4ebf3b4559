"""The small world in a storm: several proxies whose counters reset and vanish, an autoscaler, a leader that wakes up late.

`tests.rolloutinvariants` asks of every test what a decision may be; here every pass is asked too what it may change.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ConditionStatus, ModelDeploymentStatus, Phase, Rendered, Verdict
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

SETTLED = frozenset({Phase.HEALTHY, Phase.ROLLED_BACK, Phase.STALLED})
REBUILT = frozenset({Reason.STATE_LOST, Reason.STATUS_REPAIRED})


class Storm:
    """Goes before World in the order of classes: refines how it reads, writes and renders."""

    def __init__(self, **manifest: Any) -> None:
        super().__init__(**manifest)
        self.shares = [0.5, 0.3, 0.2]  # of the requests, by proxy
        self.reset_at: list[dict[tuple[int, str], float]] = [{}, {}, {}]
        self.vanished: set[int] = set()
        self.release = 1
        self.renderings: dict[str, Rendered] = {}
        self.asleep: tuple[Any, Any, Any] | None = None
        self.known: dict[tuple[Any, ...], Any] = {}

    # What is read

    @property
    def spec(self) -> Any:
        key = (self.version, repr(self.manifest))
        if key not in self.known:
            self.known[key] = super().spec
        return self.known[key]

    @property
    def wanted(self) -> Any:
        key = (self.version, repr(self.manifest.get("model")), self.problem, self.release)
        if key not in self.known:
            wanted = super().wanted
            rendering = Rendered(inference_service={"revision": wanted.id, "release": self.release}, serving_runtime={})
            self.known[key] = replace(wanted, rendered=wanted.rendered and rendering)
        return self.known[key]

    def _reading(self) -> Reading:
        if self.provider_error is not None:
            return Reading(error=self.provider_error)
        return Reading(scrapes=tuple(self._scrape(proxy) for proxy in range(len(self.shares))), flush=timedelta(seconds=1))

    def _scrape(self, proxy: int) -> Scrape:
        slots = tuple(
            SlotCounters(slot=slot, counters={name: self._counter(proxy, slot, name, value) for name, value in counters.items()})
            for slot, counters in self.counters.items()
            if slot not in self.vanished
        )
        return Scrape(proxy=f"http://proxy-{proxy}", at=self.now, slots=slots)

    def _counter(self, proxy: int, slot: int, name: str, value: float) -> float:
        since = self.reset_at[proxy].get((slot, name), 0.0)
        return float(int(self.shares[proxy] * (value if value < since else value - since)))

    def reset(self, proxy: int) -> None:
        """A proxy restarts."""
        self.reset_at[proxy] = {(slot, name): value for slot, counters in self.counters.items() for name, value in counters.items()}

    def _service(self, name: str, pod: Any) -> Any:
        return replace(super()._service(name, pod), rendered=self.renderings.get(name))

    # A leader that is stopped between deciding and writing, and goes on after its successor took over

    def fall_asleep(self) -> None:
        self.asleep = (decide(self.observe()), self.status, self.route)

    def wake_up(self) -> None:
        """Its writes name the versions it read: none of an object that changed since gets through."""
        decision, status, route = self.asleep
        self.asleep = None
        if decision.status != status or self.status is not status or decision.route is None or self.route is not route or route is None:
            return
        self.route = replace(route, slots=decision.route.slots, rejected_ids=decision.route.rejected_ids, accepted=False)

    # What a pass may change

    def carry_out(self, decision: Any) -> None:
        check_transition(self, decision)
        super().carry_out(decision)

    def settle(self) -> None:
        """While nothing happens and no time passes, few passes change anything, and then one changes and tells nothing."""
        self.crash_at = None
        for _ in range(12):
            before, notes = self.writes, len(self.notes)
            self.step()
            if self.writes == before:
                assert len(self.notes) == notes, "a pass without change tells nothing"
                return
        raise AssertionError(f"never comes to rest: {self.status}")


def check_transition(world: Any, decision: Any) -> None:
    before, after = world.status, decision.status
    assert len(after.model_dump_json(by_alias=True)) < 200_000
    check_conditions(decision)
    check_ready(world, before, after)
    check_pinned(world, before, decision)
    rebuilt = any(note.reason in REBUILT for note in decision.notes)
    if not rebuilt:
        check_promotion(before, after)
        check_timestamps(before, after)
        check_capacity(world, before, decision)


def check_conditions(decision: Any) -> None:
    status = decision.status
    present = {condition.type.value: condition for condition in status.conditions}
    assert not {"Reconciling", "Stalled"} <= present.keys()
    assert all(present[kind].status is ConditionStatus.TRUE for kind in ("Reconciling", "Stalled") if kind in present)
    at_rest = not {"Reconciling", "Stalled"} & present.keys()
    assert at_rest == (status.phase is Phase.HEALTHY) or status.phase is Phase.PENDING
    ready = present["Ready"].status is ConditionStatus.TRUE
    assert status.phase is not Phase.HEALTHY or ready
    if status.phase not in SETTLED:
        assert decision.requeue_after is not None, "something is waited for, so somebody has to look again"


def check_ready(world: Any, before: Any, after: Any) -> None:
    """Nobody but a ready version gets more traffic."""
    shares = {version.id: version.weight for version in (before.candidate, before.previous) if version is not None}
    for version in (after.candidate, after.previous):
        if version is None or version.weight <= shares.get(version.id, 0):
            continue
        if before.stable is not None and version.id == before.stable.id:
            continue  # it was stable and becomes previous: it loses weight
        pod = world.pods[version.isvc]
        assert pod.ours, "weight for a version that is not ours"
        assert pod.available > 0, "weight for a version that is not ready"
    promoted = before.candidate is not None and after.stable is not None and after.stable.id == before.candidate.id
    assert not promoted or world.pods[after.stable.isvc].available >= 1


def check_pinned(world: Any, before: Any, decision: Any) -> None:
    """What serves is never rendered again, whatever today's release would render."""
    serving = {version.isvc for version in (before.stable, before.previous) if version is not None}
    for service in decision.services:
        if service.isvc in world.pods and service.isvc in serving:
            assert service.rendered == world.renderings[service.isvc], "rendered again"
        world.renderings[service.isvc] = service.rendered


def check_promotion(before: Any, after: Any) -> None:
    if after.stable is None or (before.stable is not None and after.stable.id == before.stable.id):
        return
    if before.previous is not None and after.stable.id == before.previous.id:
        return  # a rollback during the watch
    candidate = before.candidate
    assert candidate is not None, "stable out of nowhere"
    assert after.stable.id == candidate.id
    assert after.history[0].rendered == candidate.rendered
    verdicts = {metric.verdict for metric in (after.analysis or before.analysis).metrics} if after.analysis or before.analysis else set()
    first, by_hand = before.stable is None, after.last_command is not None and after.last_command.result == "Applied"
    waived = candidate.known_good or candidate.promote_now or candidate.waived is not None
    assert first or waived or by_hand or verdicts == {Verdict.NOT_WORSE}, f"promoted without evidence: {verdicts}"


def check_timestamps(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> None:
    for role, field in (("stable", "since"), ("candidate", "started_at"), ("previous", "since")):
        old, new = getattr(before, role), getattr(after, role)
        if old is not None and new is not None and old.id == new.id:
            assert getattr(old, field) == getattr(new, field), f"{role}.{field} was rewritten"
    for kind, key, field in (("rejected", "id", "at"), ("history", "id", "promoted_at"), ("draining", "isvc", "since")):
        old = {getattr(entry, key): getattr(entry, field) for entry in getattr(before, kind)}
        for entry in getattr(after, kind):
            kept = old.get(getattr(entry, key), getattr(entry, field))
            assert kept == getattr(entry, field) or (kind == "history" and entry.id == getattr(after.stable, "id", None))
    conditions = {condition.type: condition for condition in before.conditions}
    for condition in after.conditions:
        old = conditions.get(condition.type)
        assert old is None or old.status is not condition.status or old.last_transition_time == condition.last_transition_time


def check_capacity(world: Any, before: Any, decision: Any) -> None:
    """While a rollout runs, the version that has to take everything back keeps what it had."""
    old, new = before.stable, decision.status.stable
    if old is None or new is None or old.id != new.id or (before.candidate is None and before.previous is None):
        return
    assert (new.frozen_min or 0) >= (old.frozen_min or 0) or not (decision.status.candidate or decision.status.previous)
    wanted = next((service for service in decision.services if service.isvc == new.isvc), None)
    assert wanted is None or wanted.min_replicas >= (new.frozen_min or 0)


@pytest.fixture
def make_stormy_world(make_world: type) -> type:
    """The world of the other tests, in a storm."""
    return type("StormyWorld", (Storm, make_world), {})
