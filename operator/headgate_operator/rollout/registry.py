"""Following an alias: what it was seen to point to is on record before anything is made of it.

A registry that cannot be read changes nothing on record, so the manifest goes on asking for the revision it asked for.
"""

from collections.abc import Iterator

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Condition, ConditionStatus, ConditionType, ModelDeploymentStatus, RegistryStatus, RegistryVersion
from headgate_operator.rollout.condition import before, condition
from headgate_operator.rollout.resolve import same_model
from headgate_operator.rollout.turn import Turn


def follow_registry(turn: Turn) -> Turn:
    """Put on record what the alias points to, and which version the wanted revision is."""
    if turn.spec.model.registry is None:
        return turn.with_status(registry=None)
    return _with_version(_seen(turn))


def registry_version(status: ModelDeploymentStatus, revision: str) -> str | None:
    """Return the version in the registry that a revision is, if it is known to be one."""
    known = status.registry.versions if status.registry is not None else []
    return next((entry.version for entry in known if entry.revision == revision), None)


def registry_conditions(turn: Turn) -> Iterator[Condition]:
    """Yield whether the registry can be read: only for manifests that follow one."""
    report, kind = turn.observed.registry, ConditionType.REGISTRY_AVAILABLE
    if turn.spec.model.registry is None:
        return
    if report is None:
        earlier = before(turn, kind)
        if earlier is not None:
            yield changed(earlier, observed_generation=turn.observed.subject.generation)
    elif report.error is not None:
        yield condition(turn, kind, ConditionStatus.FALSE, Reason.REGISTRY_UNAVAILABLE, report.error)
    else:
        message = f"the alias {report.alias} of {report.name} points to version {report.version}"
        yield condition(turn, kind, ConditionStatus.TRUE, Reason.READY, message)


def announce_registry(turn: Turn) -> Turn:
    """An Event when the registry cannot be read any more; where that stops everything, the stall has its own."""
    now = next((known for known in turn.status.conditions if known.type is ConditionType.REGISTRY_AVAILABLE), None)
    earlier = before(turn, ConditionType.REGISTRY_AVAILABLE)
    down = now is not None and now.status is ConditionStatus.FALSE
    if now is None or not down or turn.blocked is not None or (earlier is not None and earlier.status is ConditionStatus.FALSE):
        return turn
    return turn.note(Reason.REGISTRY_UNAVAILABLE, now.message, warning=True)


def _seen(turn: Turn) -> Turn:
    registry, report, known = turn.spec.model.registry, turn.observed.registry, turn.status.registry
    assert registry is not None
    if report is None or report.error is not None:
        return turn
    source = {"tracking_uri": registry.tracking_uri, "name": registry.name, "alias": registry.alias}
    found = {"version": report.version, "uri": report.uri}
    if known is None or not same_model(known, registry):
        return turn.with_status(registry=RegistryStatus(**source, **found))
    turn = turn.with_status(registry=changed(known, **source, **found))
    if known.alias == registry.alias and known.version != report.version:
        message = f"the alias {registry.alias} of {registry.name} moved from version {known.version} to {report.version}"
        return turn.note(Reason.ALIAS_MOVED, message, revision=turn.wanted.id)
    return turn


def _with_version(turn: Turn) -> Turn:
    """Remember which version the wanted revision is, as long as this status speaks of that revision."""
    registry, wanted, status = turn.status.registry, turn.wanted, turn.status
    if registry is None or wanted.registry_version is None:
        return turn
    roles = (status.stable, status.candidate, status.previous)
    used = {entry.id for entry in (*roles, *status.rejected, *status.history) if entry is not None}
    others = [entry for entry in registry.versions if entry.revision in used and entry.revision != wanted.id]
    versions = [RegistryVersion(revision=wanted.id, version=wanted.registry_version), *others]
    if sorted(versions, key=_revision) == sorted(registry.versions, key=_revision):
        return turn
    return turn.with_status(registry=changed(registry, versions=versions))


def _revision(entry: RegistryVersion) -> str:
    return entry.revision
