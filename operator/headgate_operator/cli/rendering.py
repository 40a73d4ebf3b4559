"""What the operator would create for a manifest, and how that changes on the way to a new version. Pure.

Statuses of a rollout that goes well are written down, and the operator's own functions derive the children from each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from headgate_operator.api.spec import Gateway, ModelDeploymentSpec, ServingMode
from headgate_operator.api.status import Candidate, HistoryEntry, ModelDeploymentStatus, ParityResult, Previous, Stable
from headgate_operator.controller.desired import desired_route, desired_service, scaling
from headgate_operator.controller.wanted import events_url
from headgate_operator.kserve.children import Owner, serving_runtime
from headgate_operator.kserve.knative_write import knative_service
from headgate_operator.kserve.names import child_name
from headgate_operator.kserve.render import render
from headgate_operator.kserve.route import default_hostname
from headgate_operator.rollout.children import wanted_route, wanted_services
from headgate_operator.rollout.decision import WantedRoute
from headgate_operator.rollout.observed import Observed, Subject, Wanted
from headgate_operator.rollout.replicas import promoted_weight
from headgate_operator.rollout.resolve import last_segment
from headgate_operator.rollout.revision import revision_id, revision_inputs
from headgate_operator.rollout.strategy import is_mirrored
from headgate_operator.rollout.turn import Turn

Object = dict[str, Any]
_NO_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Children say nothing of time."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator knows that a manifest does not say."""

    gateway: Gateway
    domain: str
    monitor: str | None


@dataclass(frozen=True, kw_only=True)
class Version:
    """A manifest with its model, as a revision."""

    name: str
    namespace: str
    spec: ModelDeploymentSpec
    pinned: HistoryEntry

    @classmethod
    def of(
        cls, spec: ModelDeploymentSpec, *, name: str, namespace: str, uri: str, runtime: Mapping[str, Any], settings: Settings
    ) -> "Version":
        """Render a revision; NamespaceTooLongError if its children would have no name."""
        inputs = revision_inputs(spec, uri=uri)
        id_ = revision_id(inputs)
        isvc = child_name(name, id_, namespace)
        events = events_url(settings.monitor, spec, name=name, namespace=namespace, revision=id_)
        rendered = render(spec, uri=uri, name=name, namespace=namespace, isvc=isvc, revision=id_, runtime=runtime, events=events)
        pinned = HistoryEntry(
            id=id_, model_uri=uri, version=last_segment(uri), isvc=isvc, promoted_at=_NO_TIME, inputs=inputs, rendered=rendered
        )  # fmt: skip
        return cls(name=name, namespace=namespace, spec=spec, pinned=pinned)

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.pinned.id} ({self.pinned.version})"


@dataclass(frozen=True)
class Stage:
    """A point of a rollout: what it is, and all objects there are."""

    title: str
    objects: tuple[Object, ...]


def alone(version: Version, settings: Settings) -> Stage:
    """Return everything when one version serves."""
    return _stage(f"{version.title} serves all traffic", version, _settled(version, slot=0), settings)


def at_weight(stable: Version, new: Version, weight: int, settings: Settings) -> Stage:
    """Return everything when the new version has that share of the traffic, all of it at 100."""
    if weight == 100:
        return _stage(f"{new.title} serves all traffic", new, _settled(new, slot=1), settings)
    status = _on_trial(stable, new, weight=weight)
    return _stage(f"{new.title} gets {weight} % of the traffic, {stable.title} the rest", new, status, settings)


def rollout(stable: Version, new: Version, settings: Settings) -> Iterator[Stage]:
    """Yield every stage of a rollout that goes well, in order."""
    spec = new.spec
    steps = [step.weight for step in spec.rollout.stages]
    yield alone(stable, settings)
    yield _stage(f"{new.title} starts, without traffic", new, _on_trial(stable, new, started=False), settings)
    if is_mirrored(spec):
        percent = spec.rollout.shadow_percent
        yield _stage(f"{new.title} gets a copy of {percent} % of the requests", new, _on_trial(stable, new, mirror=percent), settings)
    for number, weight in enumerate(() if is_mirrored(spec) else steps, 1):
        title = f"step {number} of {len(steps)}: {new.title} gets {weight} % of the traffic"
        yield _stage(title, new, _on_trial(stable, new, weight=weight), settings)
    kept = 100 - promoted_weight(spec)
    if kept:
        watched = _settled(new, slot=1, beside=stable, holdback=kept)
        yield _stage(f"{new.title} is promoted; {stable.title} keeps {kept} % during the watch", new, watched, settings)
    yield _stage(f"{new.title} serves all traffic", new, _settled(new, slot=1), settings)


def _on_trial(stable: Version, new: Version, *, weight: int = 0, mirror: int = 0, started: bool = True) -> ModelDeploymentStatus:
    candidate = Candidate(
        **_identity(new), slot=1, inputs=new.pinned.inputs, rendered=new.pinned.rendered, started_at=_NO_TIME, weight=weight, mirror=mirror,
        parity=ParityResult.PASSED if started else None,
    )  # fmt: skip
    return _settled(stable, slot=0).model_copy(update={"candidate": candidate})


def _settled(version: Version, *, slot: int, beside: Version | None = None, holdback: int = 0) -> ModelDeploymentStatus:
    previous = None if beside is None else Previous(**_identity(beside), slot=1 - slot, since=_NO_TIME, weight=holdback)
    history = [one.pinned for one in (version, beside) if one is not None]
    return ModelDeploymentStatus(stable=Stable(**_identity(version), slot=slot, since=_NO_TIME), previous=previous, history=history)


def _identity(version: Version) -> dict[str, Any]:
    return version.pinned.model_dump(include={"id", "model_uri", "version", "isvc"})


def _stage(title: str, version: Version, status: ModelDeploymentStatus, settings: Settings) -> Stage:
    """Derive the children as a pass of the operator does; the bounds and the route are those of the manifest of `version`."""
    subject = Subject(name=version.name, namespace=version.namespace, uid="", generation=1)
    one = version.pinned
    wanted = Wanted(
        id=one.id, inputs=one.inputs, model_uri=one.model_uri, version=one.version, isvc=one.isvc, rendered=one.rendered
    )  # fmt: skip
    observed = Observed(now=_NO_TIME, subject=subject, spec=version.spec, status=status, wanted=wanted)
    turn = Turn(observed=observed, wanted=wanted, status=status)
    route = wanted_route(turn)
    assert route is not None
    objects = _knative(turn, route) if version.spec.serving.mode is ServingMode.KNATIVE else _standard(turn, route, settings)
    return Stage(title, tuple(_unowned(obj) for obj in objects))


def _standard(turn: Turn, route: WantedRoute, settings: Settings) -> Iterator[Object]:
    subject, spec = turn.observed.subject, turn.spec
    owner = Owner(subject.name, subject.uid)
    for service in wanted_services(turn):
        yield from desired_service(service, owner=owner)
    hostnames = tuple(spec.serving.hostnames or (default_hostname(subject.name, subject.namespace, settings.domain),))
    gateway = spec.serving.gateway or settings.gateway
    yield desired_route(route, namespace=subject.namespace, owner=owner, gateway=gateway, hostnames=hostnames, spec=spec)


def _knative(turn: Turn, route: WantedRoute) -> Iterator[Object]:
    """One InferenceService, with the newest template and its share."""
    owner, services = Owner(turn.observed.subject.name, ""), wanted_services(turn)
    for service in services:
        yield serving_runtime(service.rendered, owner=owner)
    newest = next(service for service in services if service.revision == turn.wanted.id)
    newest = replace(newest, min_replicas=turn.spec.min_replicas, max_replicas=turn.spec.max_replicas)  # other ones are another revision
    share = sum(slot.weight for slot in route.slots if slot.revision == newest.revision)
    yield knative_service(newest.rendered, owner=owner, scaling=scaling(newest), percent=share)


def _unowned(obj: Object) -> Object:
    """Without the owner, whose uid only a cluster knows."""
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "ownerReferences"}}
