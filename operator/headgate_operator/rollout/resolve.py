"""From a manifest to the storage URI of the model it asks for: written there, or what an alias in a registry points to.

While a registry cannot be read, the alias still means what it was last seen to mean. A registry that is down withdraws nothing.
"""

from dataclasses import dataclass
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Registry
from headgate_operator.api.spec.model import Model
from headgate_operator.api.status import RegistryStatus
from headgate_operator.rollout.upstream import RegistryReport

UNRESOLVED: Final = frozenset({Reason.RESOLVING_ALIAS, Reason.REGISTRY_UNAVAILABLE})
"""Problems that mean: which revision the manifest asks for is not known."""


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The model that a manifest asks for."""

    uri: str
    version: str
    """For people, and for the registry if it is from there."""
    from_registry: bool = False
    problem: tuple[Reason, str] | None = None
    """Why it is not known."""


def resolve(model: Model, known: RegistryStatus | None, report: RegistryReport | None) -> Resolution:
    """Return the model: as the registry says now, else as it said last, else a problem."""
    if model.registry is None:
        uri = model.uri or ""
        return Resolution(uri=uri, version=last_segment(uri))
    if report is not None and report.error is None:
        return Resolution(uri=report.uri, version=report.version, from_registry=True)
    if known is not None and same_model(known, model.registry) and known.alias == model.registry.alias:
        return Resolution(uri=known.uri, version=known.version, from_registry=True)
    question = f"which version of {model.registry.name} has the alias {model.registry.alias}"
    if report is None:
        return _unknown(Reason.RESOLVING_ALIAS, f"the registry is asked {question}")
    return _unknown(Reason.REGISTRY_UNAVAILABLE, report.error or f"nobody knows {question}")


def same_model(known: RegistryStatus, registry: Registry) -> bool:
    """Whether versions on record are those of the registered model that the manifest names."""
    return (known.tracking_uri, known.name) == (registry.tracking_uri, registry.name)


def last_segment(uri: str) -> str:
    """Return what stands for a version where there is only a URI."""
    return uri.rstrip("/").rpartition("/")[2]


def _unknown(reason: Reason, message: str) -> Resolution:
    return Resolution(uri="", version="", problem=(reason, message))
