"""What a Deployment does with its pods, as Kubernetes does it with the default strategy (a quarter more, a quarter fewer). Pure functions.

ReplicaSets are left out: pods belong to their Deployment and carry the hash of the template they were made from.
"""

import hashlib
import json
import math
from dataclasses import dataclass

from headgate_devcluster.kserve.logger import inject
from headgate_devcluster.kserve.names import POD_FINALIZER, TEMPLATE_HASH_LABEL, owned_by
from headgate_devcluster.objects import POD, Object, is_ready, terminating

_SHARE = 0.25


def template_hash(deployment: Object) -> str:
    """Ten hex digits that change whenever anything in the pod template does."""
    return hashlib.sha256(json.dumps(deployment["spec"]["template"], sort_keys=True).encode()).hexdigest()[:10]


def replica_set(deployment: Object) -> str:
    """The name the ReplicaSet would have; conditions quote it."""
    return f"{deployment['metadata']['name']}-{template_hash(deployment)}"


@dataclass(frozen=True)
class Census:
    """The live pods of one Deployment, sorted into those of the present template and older ones."""

    wanted: int
    new: tuple[Object, ...]
    old: tuple[Object, ...]

    @property
    def available(self) -> int:
        """Ready pods, of whatever template."""
        return sum(map(is_ready, (*self.new, *self.old)))

    @property
    def least_available(self) -> int:
        """How many must stay available during a change."""
        return self.wanted - math.floor(self.wanted * _SHARE)


def census(deployment: Object, pods: list[Object]) -> Census:
    """Sort the Deployment's pods; terminating ones no longer count."""
    uid, current = deployment["metadata"]["uid"], template_hash(deployment)
    mine = [pod for pod in pods if not terminating(pod) and any(ref["uid"] == uid for ref in pod["metadata"].get("ownerReferences", []))]
    new = tuple(pod for pod in mine if pod["metadata"]["labels"].get(TEMPLATE_HASH_LABEL) == current)
    return Census(deployment["spec"].get("replicas", 1), new, tuple(pod for pod in mine if pod not in new))


def pods_to_create(count: Census) -> int:
    """How many pods of the present template to add now."""
    most = count.wanted + math.ceil(count.wanted * _SHARE)
    room = most - len(count.new) - len(count.old)
    return max(0, min(count.wanted - len(count.new), room))


def pods_to_delete(count: Census) -> list[Object]:
    """Which pods to end now: those too many, and old ones as far as enough stay available; pods that serve nobody first."""
    surplus = sorted(count.new, key=is_ready)[: max(0, len(count.new) - count.wanted)]
    doomed = [pod for pod in count.old if not is_ready(pod)]
    spare = count.available - sum(map(is_ready, surplus)) - count.least_available
    serving = [pod for pod in count.old if is_ready(pod)]
    return [*surplus, *doomed, *serving[: max(0, spare)]]


def new_pod(deployment: Object, name: str) -> Object:
    """A pod made from the Deployment's template."""
    template = deployment["spec"]["template"]
    meta = template["metadata"]
    pod = {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {
            "name": name,
            "namespace": deployment["metadata"]["namespace"],
            "labels": meta["labels"] | {TEMPLATE_HASH_LABEL: template_hash(deployment)},
            "annotations": meta.get("annotations", {}),
            "ownerReferences": owned_by(deployment),
            "finalizers": [POD_FINALIZER],
        },
        "spec": template["spec"] | {"nodeName": "devcluster"},
    }
    return inject(pod)


def status(deployment: Object, count: Census, now: str) -> Object:
    """The Deployment's status."""
    total, available = len(count.new) + len(count.old), count.available
    before = deployment.get("status") or {}
    numbers = {
        "replicas": total,
        "updatedReplicas": len(count.new),
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(total, count.wanted) - available),
    }
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **{key: value for key, value in numbers.items() if value},
        "conditions": [_stamped(condition, before, now) for condition in (_available(count), _progressing(deployment, count, before))],
    }


def _available(count: Census) -> dict[str, str]:
    if count.available >= count.least_available:
        return _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    return _condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")


def _progressing(deployment: Object, count: Census, before: Object) -> dict[str, str]:
    old: Object = next((entry for entry in before.get("conditions", []) if entry["type"] == "Progressing"), {})
    name = replica_set(deployment)
    complete = not count.old and len(count.new) == count.wanted and sum(map(is_ready, count.new)) == count.wanted
    # Once complete it stays so until the template changes: lost pods and scaling are not progress.
    settled = old.get("reason") == "NewReplicaSetAvailable" and f'"{name}"' in old.get("message", "")
    if complete or settled:
        return _condition("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    return _condition("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _stamped(condition: dict[str, str], before: Object, now: str) -> dict[str, str]:
    old: Object = next((entry for entry in before.get("conditions", []) if entry["type"] == condition["type"]), {})
    changed = any(old.get(key) != value for key, value in condition.items())
    moved = now if old.get("status") != condition["status"] else old["lastTransitionTime"]
    return {"lastTransitionTime": moved, "lastUpdateTime": now if changed else old["lastUpdateTime"], **condition}
