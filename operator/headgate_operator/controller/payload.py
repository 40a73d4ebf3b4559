"""What a hook is sent: Flagger's payload, so that receivers written for it understand ours, with the revision's facts as metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.spec import Hook
from headgate_operator.api.status import ModelDeploymentStatus, Notice
from headgate_operator.kserve.read import candidate_host
from headgate_operator.rollout.observed import HookCall, Subject


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One call, ready to be made."""

    hook: Hook
    body: Mapping[str, Any]
    id: str
    """The same for every attempt at the same thing."""


def delivery(call: HookCall, *, hook: Hook, subject: Subject, status: ModelDeploymentStatus) -> Delivery:
    """Return what to send. Of the metadata our own words win over the manifest's."""
    about = str(call.notice.number) if call.notice is not None else f"{call.revision}/{call.definition}"
    id_ = f"{subject.uid}/{call.name}/{about}"
    facts = _of_notice(call.notice) if call.notice is not None else _of_candidate(status, subject.namespace)
    stable = {"stableRevision": status.stable.id, "stableVersion": status.stable.version} if status.stable is not None else {}
    ours = {"hook": call.name, "hookType": call.type.value, "delivery": id_, "revision": call.revision, **facts, **stable}
    body = {
        "name": subject.name,
        "namespace": subject.namespace,
        "phase": (call.notice.phase if call.notice is not None else status.phase).value,
        "checksum": call.revision,
        "metadata": {**hook.metadata, **ours},
    }
    return Delivery(hook=hook, body=body, id=id_)


def _of_candidate(status: ModelDeploymentStatus, namespace: str) -> dict[str, str]:
    candidate = status.candidate
    if candidate is None:
        return {}
    address = f"http://{candidate_host(candidate.rendered, namespace)}"
    return {"version": candidate.version, "modelUri": candidate.model_uri, "candidateAddress": address}


def _of_notice(notice: Notice) -> dict[str, str]:
    """Return Flagger's three words for an event, beside ours."""
    return {
        "version": notice.version,
        "eventType": notice.reason,
        "eventMessage": notice.message,
        "timestamp": str(int(notice.at.timestamp() * 1000)),
    }
