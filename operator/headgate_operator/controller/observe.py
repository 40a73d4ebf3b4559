"""The only reader: one frozen snapshot of everything a decision is made from, taken by fresh reads.

Events are hints and caches are stale, so every pass reads again what it decides about. Cheap reads come first; `needs` then says whether
this pass has use for the gateway's counters or the candidate's golden answers.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from headgate_operator.api.names import COMMAND_ANNOTATION, FIELD_MANAGER
from headgate_operator.api.spec import Gateway, ModelDeploymentSpec, ServingMode, counting_fallbacks
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.api.stored import read_status
from headgate_operator.controller.background import Background
from headgate_operator.controller.children import Children, read_children, read_services
from headgate_operator.controller.claims import Claims
from headgate_operator.controller.fleet import FleetRegister
from headgate_operator.controller.installed import InstalledCrd
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.knative_look import look, service_name
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.controller.parity import ParityCheck
from headgate_operator.controller.resources import HTTP_ROUTES, MODEL_DEPLOYMENTS
from headgate_operator.controller.rule_check import RuleCheck
from headgate_operator.controller.scrape import Counters
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.wanted import read_wanted
from headgate_operator.kserve.children import Owner, pinned_form
from headgate_operator.kserve.edits import last_editor
from headgate_operator.kserve.knative import KnativeState
from headgate_operator.kserve.names import latest_host
from headgate_operator.kserve.read import predictor_address
from headgate_operator.kserve.route import default_hostname, read_route
from headgate_operator.kube.protocol import KubeApi, Object
from headgate_operator.rollout.needs import needs
from headgate_operator.rollout.observed import Backend, Mirror, Observed, ParityAnswer, Reading, Route, Service, Subject
from headgate_operator.rollout.revision import recognise

Key = tuple[str, str]
"""Namespace and name of a ModelDeployment."""


class UnreadableError(Exception):
    """The stored object is not what our CRD promises, for instance because the installed CRD is another release's."""


class OutdatedCrdError(Exception):
    """The installed CRD is older than this release: whatever is written through it may lose fields, so nothing is."""

    def __init__(self, message: str, subject: Subject, at: datetime) -> None:
        super().__init__(message)
        self.subject = subject
        self.at = at


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was observed, and the objects it was read from: writes are compared with them."""

    observed: Observed
    obj: Object
    gateway: Gateway
    hostnames: tuple[str, ...]
    children: Children
    route: Object | None
    knative: KnativeState | None = None
    """Knative mode: what the InferenceService says of its revisions; None if it does not exist, or is not ours."""
    unowned: KnativeState | None = None
    """What it says if it is not ours."""

    @property
    def owner(self) -> Owner:
        """The owner of all children."""
        return Owner(self.observed.subject.name, self.observed.subject.uid)


class Observer:
    """Takes snapshots."""

    def __init__(
        self,
        api: KubeApi,
        settings: Settings,
        *,
        counters: Counters,
        parity: ParityCheck,
        monitoring: Monitoring,
        background: Background,
        claims: Claims,
        inventory: Inventory,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._settings = settings
        self._counters = counters
        self._parity_check = parity
        self._monitoring = monitoring
        self._background = background
        self.claims = claims
        self._inventory = inventory
        self._clock = clock
        self._crd = InstalledCrd(api, clock)
        self._rules = RuleCheck()
        self.fleet = FleetRegister(settings.fleet)
        self.refused: dict[Key, Mapping[str, str]] = {}
        """What the API server said of children that it does not take, by revision, until it takes them. A restart asks it again."""

    async def observe(self, key: Key) -> Snapshot | None:
        """Return the snapshot of one ModelDeployment, or None if it is gone, going, or in another shard.

        ApiError if something could not be read: a pass never decides on half of the facts.
        """
        namespace, name = key
        obj = await self._api.get(MODEL_DEPLOYMENTS, namespace, name)
        if obj is None or "deletionTimestamp" in obj["metadata"] or not self._settings.shard.has(obj["metadata"].get("labels")):
            return None
        if complaint := await self._crd.complaint():
            raise OutdatedCrdError(complaint, _subject(obj), self._clock())
        spec = counting_fallbacks(_parse(obj), prometheus=self._settings.providers.prometheus is not None)
        status, damaged = read_status(obj.get("status"))
        subject, gateway = _subject(obj), spec.serving.gateway or self._settings.gateway
        hostnames = tuple(spec.serving.hostnames or (default_hostname(name, namespace, self._settings.domain),))
        registry, standard = self._background.registries.alias(key, spec.model.registry), spec.serving.mode is ServingMode.STANDARD
        wanted = await read_wanted(
            self._api, obj, spec, status, rules=self._rules, monitor=self._settings.monitor, registry=registry
        )  # fmt: skip
        route = await self._api.get(HTTP_ROUTES, namespace, name) if standard else None
        observed = Observed(
            now=self._clock(), subject=subject, spec=spec, status=status, wanted=wanted, damaged=damaged, registry=registry,
            refused=self.refused.get(key, {}),
            route=None if route is None else _route(route, Owner(name, subject.uid), gateway), url=f"http://{hostnames[0]}",
        )  # fmt: skip
        snapshot = Snapshot(observed=observed, obj=obj, gateway=gateway, hostnames=hostnames, children=Children({}, {}), route=route)
        return await (self._standard(snapshot) if standard else self._knative(snapshot))

    async def _standard(self, snapshot: Snapshot) -> Snapshot:
        """Read one InferenceService a version."""
        observed, subject = snapshot.observed, snapshot.observed.subject
        key, status = (subject.namespace, subject.name), observed.status
        taken = await self.claims.taken(self._api, key, gateway=snapshot.gateway, hostnames=snapshot.hostnames, route=snapshot.route)
        children = await read_children(self._api, self._inventory, key, _names(observed))
        pods_of = {status.candidate.isvc} if status.candidate is not None else set()  # whose restarts count
        services = await read_services(self._api, subject.namespace, children, snapshot.owner, pods_of=pods_of)
        if _stable_unknown(status):
            services = {name: _with_live_form(service, children) for name, service in services.items()}
        address = ""
        if status.candidate is not None:
            isvc = status.candidate.isvc
            address = predictor_address(children.services.get(isvc), name=isvc, namespace=subject.namespace)
        observed = await self._complete(replace(observed, hostname_taken=taken, services=services), address)
        return replace(snapshot, observed=observed, children=children)

    async def _knative(self, snapshot: Snapshot) -> Snapshot:
        """Read the one InferenceService."""
        observed = snapshot.observed
        seen = await look(self._api, self._inventory, observed)
        address = f"http://{latest_host(service_name(observed.subject), observed.subject.namespace)}"
        observed = replace(observed, services=seen.services, route=seen.route, url=seen.url or observed.url)
        observed = await self._complete(observed, address)
        return replace(snapshot, observed=observed, children=seen.children, knative=seen.state, unowned=seen.unowned)

    async def _complete(self, observed: Observed, address: str) -> Observed:
        """Add what `needs` asks for; the candidate answers at `address`."""
        subject, spec, status = observed.subject, observed.spec, observed.status
        key = (subject.namespace, subject.name)
        wants = needs(spec, status, observed.services, observed.route)
        if not (wants.parity or wants.golden):
            self._no_parity(key)
        reading = parity = drift = None
        if wants.metrics or wants.parity or wants.golden or wants.drift:  # a look at rest wants none of them, and tasks have a price
            reading, parity, drift = await asyncio.gather(
                self._reading(observed) if wants.metrics else _nothing(),
                self._parity(observed, address, ask=wants.parity) if wants.parity or wants.golden else _nothing(),
                self._monitoring.read(subject, spec, status) if wants.drift else _nothing(),
            )
        now = self._clock()
        # Last of all: between this and the report on what was decided nobody else may decide, or two would take the last place.
        return replace(
            observed, now=now, reading=reading, parity=parity, drift=drift, hooks=self._background.hooks.answers(key),
            registry_answers=self._background.registries.answers(key), run=self._background.training.run(key, status.retraining),
            run_answers=self._background.training.answers(key), fleet=self.fleet.view(key, now),
        )  # fmt: skip

    async def _reading(self, observed: Observed) -> Reading:
        assert observed.route is not None
        return await self._counters.read(observed.spec.analysis, observed.subject, observed.route)

    async def _parity(self, observed: Observed, address: str, *, ask: bool) -> ParityAnswer | None:
        return await self._parity_check.check(observed.subject, observed.spec, observed.status, address=address, ask=ask)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of an object that is gone, or another shard's."""
        self.fleet.forget(key)
        self.refused.pop(key, None)
        self.claims.forget(key)
        self._inventory.forget(key)
        self._rules.forget(key)
        self._parity_check.forget(key)
        self._monitoring.forget(key)

    def _no_parity(self, key: Key) -> None:
        self._parity_check.forget(key)
        self._background.registries.golden_done(key)


def _stable_unknown(status: ModelDeploymentStatus) -> bool:
    """Whether nobody remembers how the stable version was rendered: its children do."""
    return status.stable is None or all(entry.id != status.stable.id for entry in status.history)


def _with_live_form(service: Service, children: Children) -> Service:
    runtime = children.runtimes.get(service.name)
    if not service.ours or runtime is None:
        return service
    return replace(service, rendered=pinned_form(children.services[service.name], runtime))


async def _nothing() -> None:
    return None


def _parse(obj: Object) -> ModelDeploymentSpec:
    try:
        return ModelDeploymentSpec.model_validate(obj.get("spec"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UnreadableError(f"{where}: {first['msg']}; is the installed CRD that of this release (headgate crd)?") from error


def _subject(obj: Object) -> Subject:
    metadata = obj["metadata"]
    return Subject(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 1),
        command=(metadata.get("annotations") or {}).get(COMMAND_ANNOTATION),
        command_by=_writer(metadata, COMMAND_ANNOTATION),
        manifest_by=last_editor(metadata, manager=FIELD_MANAGER, field="spec"),
    )


def _writer(metadata: Object, annotation: str) -> str | None:
    """Return the field manager that the API server names as the owner of an annotation."""
    for entry in metadata.get("managedFields") or ():
        owned = (entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:annotations", {})
        if f"f:{annotation}" in owned:
            return str(entry.get("manager"))
    return None


def _names(observed: Observed) -> set[str]:
    """Every child name this pass may speak of. The wanted revision may be known under a name of its own."""
    status, route = observed.status, observed.route
    versions = (status.stable, status.candidate, status.previous, *status.draining)
    served = route.slots if route is not None and route.slots is not None else ()  # after a lost status they are all that is known
    known = [version.isvc for version in versions if version is not None]
    return {recognise(observed).isvc, observed.wanted.isvc, *known, *(slot.isvc for slot in served)}


def _route(obj: Object, owner: Owner, gateway: Gateway) -> Route:
    state = read_route(obj, owner=owner, gateway=gateway)
    slots = None
    if state.slots is not None:
        first, second = (Backend(isvc=slot.isvc, revision=slot.revision, weight=slot.weight) for slot in state.slots)
        slots = (first, second)
    seen = state.mirror
    mirror = None if seen is None else Mirror(isvc=seen.isvc, revision=seen.revision, percent=seen.percent)
    return Route(
        ours=state.ours, accepted=state.accepted, slots=slots, mirror=mirror, stable_id=state.stable_id, rejected_ids=state.rejected_ids,
        edited_by=last_editor(obj["metadata"], manager=FIELD_MANAGER, field="spec"),
    )  # fmt: skip
