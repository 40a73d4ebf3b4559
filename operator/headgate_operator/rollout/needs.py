"""Which expensive reads a pass has use for. Asked by the controller before it reads, from the same facts `decide` will use."""

from collections.abc import Mapping
from dataclasses import dataclass

from headgate_operator.api.spec import ModelDeploymentSpec, ParityMode
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.rollout.observed import Route, Service
from headgate_operator.rollout.replicas import starting_min
from headgate_operator.rollout.weights import beside_stable, carries


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What to read beside the objects."""

    metrics: bool
    """The gateway's counters of both slots."""
    parity: bool
    """The candidate's answers to its golden inputs (of `status.candidate`)."""


def needs(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, services: Mapping[str, Service], route: Route | None) -> Needs:
    """Say what this pass wants to know."""
    return Needs(
        metrics=beside_stable(status) is not None and carries(route, status),
        parity=_wants_parity(spec, status, services),
    )


def _wants_parity(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, services: Mapping[str, Service]) -> bool:
    candidate = status.candidate
    if candidate is None or candidate.parity is not None:
        return False
    if spec.parity.mode is ParityMode.OFF or spec.parity.golden is None:
        return False
    service = services.get(candidate.isvc)
    return service is not None and service.ready_to_start(starting_min(spec, status))
