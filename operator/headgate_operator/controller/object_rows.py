"""What a dashboard asks of one ModelDeployment beyond phase, weights and evidence, as rows: labels and a value.

What is as it should be has no row. A version, a hold and a run are told by the time they began: one series says both which and since when.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from headgate_operator.api.status import ConditionStatus, ConditionType, ModelDeploymentStatus, Pinned, RetrainingStatus, RunState

Rows = Iterable[tuple[dict[str, str], float]]

_WRONG_WHEN: Final = {
    ConditionType.READY: ConditionStatus.FALSE,
    ConditionType.STALLED: ConditionStatus.TRUE,
    ConditionType.CANDIDATE_ACCEPTED: ConditionStatus.FALSE,
    ConditionType.ANALYSIS_AVAILABLE: ConditionStatus.FALSE,
    ConditionType.INPUT_DRIFT: ConditionStatus.TRUE,
    ConditionType.PREDICTION_DRIFT: ConditionStatus.TRUE,
    ConditionType.DATA_QUALITY: ConditionStatus.FALSE,
    ConditionType.GROUND_TRUTH: ConditionStatus.FALSE,
    ConditionType.SKILL_DROP: ConditionStatus.TRUE,
    ConditionType.MONITOR_AVAILABLE: ConditionStatus.FALSE,
    ConditionType.REGISTRY_AVAILABLE: ConditionStatus.FALSE,
}
"""Reconciling is never wrong. Unknown is neither: a condition says it where nothing is compared yet."""


def troubles(status: ModelDeploymentStatus) -> Rows:
    """Return the conditions that are not as they should be."""
    return [
        ({"condition": one.type.value, "reason": one.reason}, 1.0)
        for one in status.conditions
        if one.status is _WRONG_WHEN.get(one.type)
    ]  # fmt: skip


def versions(status: ModelDeploymentStatus) -> Rows:
    """Return the version in each role and since when it has it; slot is empty where it has no place in the route."""
    stable, candidate, previous = status.stable, status.candidate, status.previous
    held: list[tuple[str, Pinned, datetime]] = [("draining", one, one.since) for one in status.draining]
    held += [("stable", stable, stable.since)] if stable is not None else []
    held += [("candidate", candidate, candidate.started_at)] if candidate is not None else []
    held += [("previous", previous, previous.since)] if previous is not None else []
    return [(_version(role, one), since.timestamp()) for role, one, since in held]


def _version(role: str, version: Pinned) -> dict[str, str]:
    slot = "" if version.slot is None else str(version.slot)
    return {"role": role, "revision": version.id, "version": version.version, "slot": slot}


def holds(status: ModelDeploymentStatus) -> Rows:
    """Return since when the rollout holds without a break, by its present reason."""
    candidate = status.candidate
    if candidate is None or candidate.hold_since is None or candidate.hold_reason is None:
        return []
    return [({"reason": candidate.hold_reason}, candidate.hold_since.timestamp())]


def retraining(status: ModelDeploymentStatus) -> Rows:
    """Return when the last training run was decided on, by how it stands."""
    run = status.retraining
    return [({"state": run.state.value}, run.at.timestamp())] if run is not None else []


def followed(status: ModelDeploymentStatus) -> Rows:
    """Return the version that the followed alias of the model registry names."""
    seen = status.registry
    return [({"model": seen.name, "alias": seen.alias, "version": seen.version}, 1.0)] if seen is not None else []


def unwritten(status: ModelDeploymentStatus) -> Rows:
    """Return how many tags and aliases the model registry has not acknowledged yet."""
    return [({}, float(sum(mark.failures > 0 for mark in status.registry.marks)))] if status.registry is not None else []


def run_result(before: RetrainingStatus | None, after: RetrainingStatus | None) -> str | None:
    """Return what a look learned of the training run: started, succeeded or failed; None if nothing."""
    if after is None or (before is not None and (before.last_trigger, before.state) == (after.last_trigger, after.state)):
        return None
    if after.state.under_way:
        begun = before is None or before.last_trigger != after.last_trigger
        return "started" if begun else None
    return "succeeded" if after.state is RunState.SUCCEEDED else "failed"
