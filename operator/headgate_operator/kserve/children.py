"""The full objects to apply: what was pinned, plus what may change during a revision's life, owner and replica bounds."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.names import API_VERSION, KIND
from headgate_operator.api.status import Rendered


@dataclass(frozen=True)
class Owner:
    """The ModelDeployment that owns a child; its deletion takes the children along."""

    name: str
    uid: str

    def reference(self) -> dict[str, Any]:
        """Return the entry for metadata.ownerReferences."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }

    def owns(self, obj: dict[str, Any]) -> bool:
        """Whether an object says that this ModelDeployment, and not one of the same name before it, is its controller."""
        references = obj.get("metadata", {}).get("ownerReferences", ())
        return any(reference.get("uid") == self.uid and reference.get("controller") for reference in references)


def inference_service(rendered: Rendered, *, owner: Owner, min_replicas: int, max_replicas: int) -> dict[str, Any]:
    """Return the InferenceService to apply. Changed bounds restart no pod; anything else would."""
    obj = _owned(rendered.inference_service, owner)
    obj["spec"]["predictor"] |= {"minReplicas": min_replicas, "maxReplicas": max(min_replicas, max_replicas)}
    return obj


def serving_runtime(rendered: Rendered, *, owner: Owner) -> dict[str, Any]:
    """Return the runtime copy to apply; it must exist before the InferenceService that names it."""
    return _owned(rendered.serving_runtime, owner)


def _owned(pinned: dict[str, Any], owner: Owner) -> dict[str, Any]:
    obj = deepcopy(pinned)
    obj["metadata"]["ownerReferences"] = [owner.reference()]
    return obj
