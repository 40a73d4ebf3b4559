"""A small world around `decide`: it carries out decisions, lets pods start and requests flow, and can crash between any two writes.

Every pass is checked against the invariants of the rollout, so every test that runs a rollout is also a test of those.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ChangeKind, ModelDeploymentStatus, Phase, Rendered
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision, Note
from headgate_operator.rollout.needs import needs
from headgate_operator.rollout.observed import (
    MIRROR_SLOT,
    Backend,
    DriftReport,
    Fleet,
    HookAnswer,
    HookCall,
    Mirror,
    Observed,
    ParityAnswer,
    Reading,
    Route,
    Scrape,
    Service,
    SlotCounters,
    Subject,
    Wanted,
)
from headgate_operator.rollout.revision import revision_id, revision_inputs
from headgate_operator.rollout.settled import settled
from headgate_operator.rollout.weights import committed, recorded
from tests.statetable import contradictions

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME = "flight-delay"


class CrashError(Exception):
    """The operator dies here."""


@dataclass
class Pod:
    """An InferenceService and its pods."""

    revision: str
    min_replicas: int
    ready_at: datetime
    available: int = 0
    restarts: int = 0
    broken: bool = False
    ours: bool = True


@dataclass
class Behaviour:
    """How a revision answers."""

    bad: float = 0.0
    mismatch: str | None = None


class World:
    def __init__(self, **manifest: Any) -> None:
        self.now = START
        self.generation = 1
        self.command: str | None = None
        self.manifest: dict[str, Any] = {
            "rollout": {
                "steps": [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 25, 50)],
                "watch": {"duration": "60s", "holdback": 5},
            },
            "serving": {"requestTimeout": "5s"},
            "parity": {"mode": "Required", "golden": {"configMap": "golden"}},
            **manifest,
        }
        self.version = 1
        self.status = ModelDeploymentStatus()
        self.pods: dict[str, Pod] = {}
        self.route: Route | None = None
        self.gateway_up = True
        self.live: tuple[Backend, ...] = ()
        self.live_mirror: Mirror | None = None
        self.copies: dict[str, float] = {}
        self.dark_seconds = 0.0
        """How long the gateway copied requests to a version without endpoints."""
        self.rate = 75.0
        self.pinned = 0.0
        """Share of the candidate's requests that something in front of the gateway sends to stable instead."""
        self.behaviour: dict[str, Behaviour] = {}
        self.counters: dict[int, dict[str, float]] = {}
        self.served: dict[str, float] = {}
        self.provider_error: str | None = None
        self.golden_missing: str | None = None
        self.problem: tuple[Reason, str] | None = None
        self.startup = timedelta(seconds=4)
        self.notes: list[Note] = []
        self.writes = 0
        self.crash_at: int | None = None
        self.cut_off: set[str] = set()
        self.fleet = Fleet()
        self.drift = DriftReport()
        self.damaged: frozenset[str] = frozenset()
        self.hook_answers: dict[str, str | None] = {}
        """By hook: why it does not agree; None if it never answers. Others agree."""
        self.called: list[HookCall] = []
        self.answers: tuple[HookAnswer, ...] = ()

    # The manifest

    @property
    def spec(self) -> ModelDeploymentSpec:
        model = {"uri": f"s3://models/flight-delay/{self.version}", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
        return ModelDeploymentSpec.model_validate({"model": model, **self.manifest})

    def apply(self, version: int, **manifest: Any) -> str:
        """Apply a manifest with that model version; return its revision id."""
        self.version = version
        self.manifest |= manifest
        self.generation += 1
        return self.id_of(version)

    def id_of(self, version: int) -> str:
        before, self.version = self.version, version
        inputs = revision_inputs(self.spec, uri=self.spec.model.uri or "")
        self.version = before
        return revision_id(inputs)

    def isvc_of(self, version: int) -> str:
        return f"{NAME}-{self.id_of(version)[1:]}"

    def behave(self, version: int, **behaviour: Any) -> None:
        self.behaviour[self.id_of(version)] = Behaviour(**behaviour)

    @property
    def wanted(self) -> Wanted:
        inputs = revision_inputs(self.spec, uri=self.spec.model.uri or "")
        revision = revision_id(inputs)
        rendered = Rendered(inference_service={"revision": revision}, serving_runtime={})
        return Wanted(
            id=revision, inputs=inputs, model_uri=self.spec.model.uri or "", version=str(self.version), isvc=f"{NAME}-{revision[1:]}",
            rendered=rendered if self.problem is None else None, problem=self.problem,
        )  # fmt: skip

    # Time: pods start, requests flow

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration
        self._settle_pods()
        if self.gateway_up:
            self.live = (self.route.slots or ()) if self.route else ()
            self.live_mirror = self.route.mirror if self.route else None
            self.route = self.route and replace(self.route, accepted=True)
        refused = {entry.id for entry in self.status.rejected}
        routed = {backend.revision for backend in self.live if backend.weight}
        routed |= {self.live_mirror.revision} if self.live_mirror else set()
        self.cut_off = (self.cut_off & refused) | (refused - routed)
        self._serve(duration / timedelta(seconds=1))

    def _settle_pods(self) -> None:
        for pod in self.pods.values():
            if pod.broken:
                pod.available = 0
            elif pod.available < pod.min_replicas and self.now >= pod.ready_at:
                pod.available = pod.min_replicas

    def _serve(self, seconds: float) -> None:
        for slot, backend in enumerate(self.live):
            if backend.weight == 0:
                self.counters.pop(slot, None)  # a backend of weight 0 is not in the gateway's configuration
                continue
            self.served[backend.revision] = self.served.get(backend.revision, 0) + self.rate * seconds * backend.weight
            assert backend.revision not in self.cut_off, "a refused revision got traffic again"
            requests = self.rate * seconds * self._share(backend)
            pod = self.pods.get(backend.isvc)
            gone = pod is None or pod.available == 0  # then the gateway answers 503
            bad = requests if gone else requests * self.behaviour.get(backend.revision, Behaviour()).bad
            self._count(slot, requests, bad)
        self._serve_copies(seconds)

    def _serve_copies(self, seconds: float) -> None:
        mirror = self.live_mirror
        if mirror is None:
            self.counters.pop(MIRROR_SLOT, None)
            return
        assert mirror.revision not in self.cut_off, "a refused revision got copies again"
        pod = self.pods.get(mirror.isvc)
        if pod is None or pod.available == 0:
            self.dark_seconds += seconds  # then the gateway answers 500 to everybody
        copies = self.rate * seconds * mirror.percent / 100 * (1 - self.pinned)
        self.copies[mirror.revision] = self.copies.get(mirror.revision, 0) + copies
        self._count(MIRROR_SLOT, copies, copies * self.behaviour.get(mirror.revision, Behaviour()).bad)

    def _count(self, slot: int, requests: float, bad: float) -> None:
        counters = self.counters.setdefault(slot, {"rq_timeout": 0})
        for name, count in (("rq_2xx", requests - bad), ("rq_5xx", bad), ("latency_count", requests), ("latency_le_250", requests)):
            counters[name] = counters.get(name, 0) + count

    def _share(self, backend: Backend) -> float:
        if not self.pinned or self.status.stable is None:
            return backend.weight / 100
        strayed = self.pinned * sum(other.weight for other in self.live if other.revision != self.status.stable.id)
        weight = backend.weight + strayed if backend.revision == self.status.stable.id else backend.weight * (1 - self.pinned)
        return weight / 100

    # One pass of the controller

    def observe(self) -> Observed:
        services = {name: self._service(name, pod) for name, pod in self.pods.items()}
        wants = needs(self.spec, self.status, services, self.route)
        return Observed(
            now=self.now,
            subject=Subject(name=NAME, namespace="ml", uid="u1", generation=self.generation, command=self.command),
            spec=self.spec,
            status=self.status,
            wanted=self.wanted,
            services=services,
            route=self.route,
            reading=self._reading() if wants.metrics else None,
            parity=self._parity() if wants.parity else None,
            drift=self._drift() if wants.drift else None,
            hooks=self.answers,
            fleet=self.fleet,
            damaged=self.damaged,
            url="http://flight-delay.ml.example.com",
        )

    def _service(self, name: str, pod: Pod) -> Service:
        return Service(
            name=name, ours=pod.ours, available_replicas=pod.available,
            isvc_ready=pod.available > 0, rolled_out=True, restarts=pod.restarts,
        )  # fmt: skip

    def _reading(self) -> Reading:
        if self.provider_error is not None:
            return Reading(error=self.provider_error)
        slots = tuple(
            SlotCounters(slot=slot, counters={name: float(int(value)) for name, value in counters.items()})
            for slot, counters in self.counters.items()
        )
        return Reading(scrapes=(Scrape(proxy="http://proxy", at=self.now, slots=slots),), flush=timedelta(seconds=1))

    def _parity(self) -> ParityAnswer:
        candidate = self.status.candidate
        assert candidate is not None
        if self.golden_missing is not None:
            return ParityAnswer(revision=candidate.id, golden=None, unavailable=(Reason.GOLDEN_MISSING, self.golden_missing))
        mismatch = self.behaviour.get(candidate.id, Behaviour()).mismatch
        return ParityAnswer(revision=candidate.id, golden="sha256:00", mismatch=mismatch)

    def _drift(self) -> DriftReport:
        """What the monitor says is about whoever is on trial."""
        status = self.status
        trial = status.candidate or (status.stable if status.previous is not None else None)
        return replace(self.drift, trial=trial.id if trial is not None else None)

    def step(self) -> Decision:
        """One pass: observe, decide, carry out."""
        observed = self.observe()
        decision = decide(observed)
        check(self, decision)
        others = (self.route, set(self.pods), self.command)
        self.carry_out(decision)
        self.damaged = frozenset()
        if decision.status != observed.status and others == (self.route, set(self.pods), self.command):
            check_settled(self, observed, decision)
        return decision

    def carry_out(self, decision: Decision) -> None:
        """Write in the order of rollout.md rule 12; what is already there is not written."""
        if decision.status != self.status:
            self._write()
            self.status = ModelDeploymentStatus.model_validate_json(decision.status.model_dump_json(by_alias=True))
        self.answers = ()
        self._call(decision.hooks)
        for wanted in decision.services:
            self._apply_service(wanted.isvc, wanted.revision, wanted.min_replicas)
        if decision.route is not None:
            wanted_route = decision.route
            route = Route(
                ours=True, accepted=self.gateway_up, slots=wanted_route.slots, stable_id=wanted_route.stable_id,
                rejected_ids=wanted_route.rejected_ids, mirror=wanted_route.mirror,
            )  # fmt: skip
            if self.route is None or replace(self.route, accepted=route.accepted) != route:
                self._write()
                self.route = route
        for name in decision.delete:
            self._write()
            del self.pods[name]
        self.notes.extend(decision.notes)
        if decision.command_done and self.command is not None:
            self._write()
            self.command = None

    def _call(self, calls: tuple[HookCall, ...]) -> None:
        """Every hook answers before the next pass, if it answers at all."""
        for call in calls:
            self.called.append(call)
            refusal = self.hook_answers.get(call.name, "")
            if refusal is not None:
                self.answers = (*self.answers, HookAnswer(call=call, passed=not refusal, message=refusal))

    def _apply_service(self, name: str, revision: str, minimum: int) -> None:
        pod = self.pods.get(name)
        if pod is None:
            self._write()
            self.pods[name] = Pod(revision=revision, min_replicas=minimum, ready_at=self.now + self.startup)
        elif pod.min_replicas != minimum:
            self._write()
            pod.min_replicas, pod.ready_at = minimum, self.now + self.startup
            pod.available = min(pod.available, minimum)

    def _write(self) -> None:
        if self.crash_at is not None and self.writes == self.crash_at:
            self.crash_at = None
            raise CrashError
        self.writes += 1

    # Whole rollouts

    def run(self, until: Callable[["World"], bool] = lambda _: False, *, limit: int = 2_000) -> "World":
        """Pass after pass until the condition holds, or until nothing is pending."""
        for _ in range(limit):
            if until(self):
                return self
            if self.pass_and_wait() is None:
                return self
        raise AssertionError(f"not there after {limit} passes: {self.status}")

    def run_for(self, seconds: float) -> "World":
        end = self.now + timedelta(seconds=seconds)
        return self.run(lambda world: world.now >= end)

    def pass_and_wait(self) -> timedelta | None:
        """One pass, then the time until the next: none after a write, for that is an event; None if nothing is pending."""
        before = self.writes
        try:
            decision = self.step()
        except CrashError:
            self.pass_time(timedelta(seconds=8))  # until somebody starts it again
            return timedelta(seconds=8)
        if self.writes > before or self.answers:
            return timedelta(0)
        if decision.requeue_after is not None:
            self.pass_time(decision.requeue_after)
        return decision.requeue_after

    @property
    def phase(self) -> Phase:
        return self.status.phase

    @property
    def weights(self) -> dict[str, int]:
        """What the route says, by revision."""
        shares: dict[str, int] = {}
        for backend in self.route.slots if self.route and self.route.slots else ():
            shares[backend.revision] = shares.get(backend.revision, 0) + backend.weight
        return {revision: weight for revision, weight in shares.items() if weight}

    def said(self, reason: Reason) -> int:
        """How many Events had that reason."""
        return sum(note.reason is reason for note in self.notes)

    def condition_message(self, kind: str) -> str:
        """The message of a condition, empty if it is absent."""
        return next((condition.message for condition in self.status.conditions if condition.type == kind), "")

    def condition(self, kind: str) -> str | None:
        """The reason of a condition, or None if it is absent."""
        return next((condition.reason for condition in self.status.conditions if condition.type == kind), None)


def check(world: World, decision: Decision) -> None:
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


def check_settled(world: World, observed: Observed, decision: Decision) -> None:
    """Where the controller leaves out the look that reads back, that look would have had nothing to do."""
    again = settled(observed, decision)
    if again is not None and not world.answers:
        assert decide(world.observe()) == again, "a look at once would have found more to do"


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


@pytest.fixture
def world() -> World:
    """The first revision is being applied."""
    return World()


@pytest.fixture
def make_world() -> type[World]:
    """For manifests of a test's own."""
    return World


@pytest.fixture
def backend() -> type[Backend]:
    """A backend of the route."""
    return Backend


@pytest.fixture
def serving(world: World) -> World:
    """Version 1 serves all traffic and nothing is under way."""
    world.run()
    assert world.phase is Phase.HEALTHY
    return world
