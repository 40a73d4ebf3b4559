"""Which expensive reads a pass has use for. Asked by the controller before it reads, from the same facts `decide` will use."""

from collections.abc import Mapping
from dataclasses import dataclass

from headgate_operator.api.spec import ModelDeploymentSpec, ParityMode
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.rollout.observed import Route, Service
from headgate_operator.rollout.registry import registry_version
from headgate_operator.rollout.replicas import starting_min
from headgate_operator.rollout.weights import carries, judged_alone, on_trial


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What to read beside the objects."""

    metrics: bool
    """The gateway's counters of both slots."""
    golden: bool
    """The golden set of `status.candidate`, to pin it before somebody overwrites it."""
    parity: bool
    """The candidate's answers to its golden inputs (of `status.candidate`)."""
    drift: bool
    """The drift monitor's verdicts."""


def needs(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, services: Mapping[str, Service], route: Route | None) -> Needs:
    """Say what this pass wants to know."""
    return Needs(
        metrics=(on_trial(status) is not None or judged_alone(spec, status)) and carries(route, status),
        golden=_has_golden(spec, status) and status.candidate is not None and status.candidate.golden is None,
        parity=_wants_parity(spec, status, services),
        drift=spec.observes_payloads and status.stable is not None,
    )


def _wants_parity(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, services: Mapping[str, Service]) -> bool:
    if status.candidate is None or not _has_golden(spec, status):
        return False
    service = services.get(status.candidate.isvc)
    return service is not None and service.ready_to_start(starting_min(spec, status))


def _has_golden(spec: ModelDeploymentSpec, status: ModelDeploymentStatus) -> bool:
    """Whether the candidate is still to be asked a golden set, and the manifest names one or the registry may have one."""
    if status.candidate is None or status.candidate.parity is not None or spec.parity.mode is ParityMode.OFF:
        return False
    return spec.parity.golden is not None or registry_version(status, status.candidate.id) is not None
