"""A small world around `decide`: it carries out decisions, lets pods start and requests flow, and can crash between any two writes.

Every pass is checked against the invariants of the rollout, so every test that runs a rollout is also a test of those.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ModelDeploymentStatus, Phase, Rendered
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision, Note
from headgate_operator.rollout.needs import needs
from headgate_operator.rollout.observed import (
    DriftReport,
    Fleet,
    HookAnswer,
    HookCall,
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
from tests.rolloutcluster import Behaviour, Cluster, Pod
from tests.rolloutinvariants import check, check_settled

NAME = "flight-delay"


class CrashError(Exception):
    """The operator dies here."""


class World(Cluster):
    def __init__(self, **manifest: Any) -> None:
        super().__init__()
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
        self.provider_error: str | None = None
        self.source = "a provider"
        self.golden_missing: str | None = None
        self.problem: tuple[Reason, str] | None = None
        self.notes: list[Note] = []
        self.writes = 0
        self.crash_at: int | None = None
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
        return Reading(scrapes=(Scrape(proxy="http://proxy", at=self.now, slots=slots),), source=self.source, flush=timedelta(seconds=1))

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
