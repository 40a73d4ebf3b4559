"""What the status of a ModelDeployment says about the version that was just deployed; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """How a rollout ended."""

    promoted: bool
    sentence: str


def verdict(deployment: Mapping[str, Any], *, uri: str, generation: int) -> Verdict | None:
    """The verdict on the version with this URI; None while there is none.

    The watch after promotion is part of the rollout: a version may still be taken back in it.

    Args:
        deployment: the object as the API server has it.
        uri: the storage URI that was deployed.
        generation: the object's generation then; what the operator said about an earlier one does not count.
    """
    status = deployment.get("status") or {}
    asked = deployment.get("spec", {}).get("model", {}).get("uri")
    if asked != uri:
        return Verdict(False, f"the manifest was changed to {asked or 'follow a registry'} before there was a verdict")
    if status.get("observedGeneration", 0) < generation:
        return None
    candidate = status.get("candidate") or {}
    if candidate.get("modelUri") == uri:
        return _needs_a_person(status)
    if (status.get("stable") or {}).get("modelUri") == uri:
        return None if status.get("previous") else Verdict(True, f"version {status['stable'].get('version', '')} was promoted and serves")
    for refused in status.get("rejected") or []:
        if refused.get("modelUri") == uri:
            why = f"{refused.get('reason', 'Refused')}: {refused.get('message', 'no message')}"
            return Verdict(False, f"version {refused.get('version', '')} was refused, {why}")
    return _needs_a_person(status)


def standing(deployment: Mapping[str, Any]) -> str:
    """Where a rollout without a verdict stands, in the operator's words."""
    status = deployment.get("status") or {}
    moving = _condition(status, "Reconciling")
    phase = status.get("phase", "the operator has not said anything")
    return f"{phase}; {moving['reason']}, {moving.get('message', '')}" if moving else str(phase)


def _needs_a_person(status: Mapping[str, Any]) -> Verdict | None:
    stalled = _condition(status, "Stalled")
    return Verdict(False, f"a person is needed, {stalled['reason']}: {stalled.get('message', '')}") if stalled else None


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    found = (one for one in status.get("conditions") or [] if one.get("type") == kind and one.get("status") == "True")
    return next(found, None)
