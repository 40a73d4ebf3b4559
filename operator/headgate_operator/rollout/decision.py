"""What follows from an observation: the new status, the children that must exist, what to tell people, when to look again."""

from dataclasses import dataclass
from datetime import timedelta

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ModelDeploymentStatus, Rendered
from headgate_operator.rollout.observed import Backend, HookCall, Mirror
from headgate_operator.rollout.upstream import RegistryWrite, RunRequest


@dataclass(frozen=True, kw_only=True)
class WantedService:
    """An InferenceService (and its runtime copy) that must exist, exactly as pinned, with these replica bounds."""

    isvc: str
    revision: str
    rendered: Rendered
    min_replicas: int
    max_replicas: int
    scale_metric: str | None = None
    """What the autoscaler looks at; None: KServe's default."""
    scale_target: int | None = None


@dataclass(frozen=True, kw_only=True)
class WantedRoute:
    """The HTTPRoute that must exist."""

    slots: tuple[Backend, Backend]
    stable_id: str
    rejected_ids: tuple[str, ...]
    mirror: Mirror | None = None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A Kubernetes Event on the ModelDeployment."""

    reason: Reason
    message: str
    warning: bool = False
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Carried out in this order: status, services, route, deletions, notes, command (rollout.md rule 12)."""

    status: ModelDeploymentStatus
    services: tuple[WantedService, ...] = ()
    route: WantedRoute | None = None
    """None: leave it alone (there is none yet)."""
    delete: tuple[str, ...] = ()
    """InferenceServices (with their runtime copies) to delete."""
    notes: tuple[Note, ...] = ()
    hooks: tuple[HookCall, ...] = ()
    """Hooks to ask or tell, once the status is on record, outside of any pass. One that is under way already goes on."""
    registry_writes: tuple[RegistryWrite, ...] = ()
    """What to write into the model registry, in the same way."""
    run: RunRequest | None = None
    """The retraining run to start, in the same way."""
    command_done: bool = False
    """Remove the command annotation."""
    requeue_after: timedelta | None = None
    """Look again then, even if nothing changes; None: only a change or the slow resync matters."""
