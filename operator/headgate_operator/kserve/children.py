"""The full objects to apply: what was pinned, plus what may change during a revision's life, owner and replica bounds."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from headgate_operator.api.names import API_VERSION, KIND, OWNER_LABEL, REVISION_ANNOTATION
from headgate_operator.api.status import Rendered
from headgate_operator.kserve.resources import MODE_ANNOTATION, TAGS_ANNOTATION, VISIBILITY_LABEL


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


SCALING: Final = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
"""Fields of a predictor that change during a revision's life: they restart no pod."""

PERCENT: Final = "canaryTrafficPercent"
"""Knative mode: the share of the latest revision. It changes during a revision's life too."""

_OUR_ANNOTATIONS: Final = (MODE_ANNOTATION, REVISION_ANNOTATION, TAGS_ANNOTATION)


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Replica bounds, and what the autoscaler aims at between them."""

    min_replicas: int
    max_replicas: int
    metric: str | None = None
    """None: KServe's default, cpu."""
    target: int | None = None
    """None: KServe's default, 80 % of the requests."""


def inference_service(rendered: Rendered, *, owner: Owner, scaling: Scaling) -> dict[str, Any]:
    """Return the InferenceService to apply. Changed scaling restarts no pod; anything else would."""
    obj = _owned(rendered.inference_service, owner)
    bounds = (scaling.min_replicas, max(scaling.min_replicas, scaling.max_replicas), scaling.metric, scaling.target)
    scaled = {name: value for name, value in zip(SCALING, bounds, strict=True) if value is not None}
    return obj | {"spec": obj["spec"] | {"predictor": obj["spec"]["predictor"] | scaled}}


def gave_up_scaling(live: Mapping[str, Any], desired: Mapping[str, Any], *, manager: str) -> bool:
    """Whether the live object still has a scaling field that we once wrote and no longer want. Others may set what we leave out."""
    wanted = desired["spec"]["predictor"]
    ours = [
        entry for entry in live["metadata"].get("managedFields", ()) if entry.get("manager") == manager and not entry.get("subresource")
    ]
    owned = {name for entry in ours for name in entry.get("fieldsV1", {}).get("f:spec", {}).get("f:predictor", {})}
    return any(f"f:{name}" in owned and name not in wanted for name in SCALING)


def serving_runtime(rendered: Rendered, *, owner: Owner) -> dict[str, Any]:
    """Return the runtime copy to apply; it must exist before the InferenceService that names it."""
    return _owned(rendered.serving_runtime, owner)


def pinned_form(service: Mapping[str, Any], runtime: Mapping[str, Any]) -> Rendered:
    """Return live children as they would have been pinned: what was applied, and what the API server's webhooks filled in."""
    inference_service = _unowned(service, labels=(OWNER_LABEL, VISIBILITY_LABEL), annotations=_OUR_ANNOTATIONS)
    predictor = inference_service["spec"]["predictor"]
    inference_service["spec"]["predictor"] = {key: value for key, value in predictor.items() if key not in (*SCALING, PERCENT)}
    annotations = tuple(key for key in runtime["metadata"].get("annotations", {}) if key.startswith("serving.kserve.io/"))
    return Rendered(inference_service=inference_service, serving_runtime=_unowned(runtime, labels=(OWNER_LABEL,), annotations=annotations))


def _unowned(live: Mapping[str, Any], *, labels: Collection[str], annotations: Collection[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {key: live["metadata"][key] for key in ("name", "namespace")}
    for kind, keys in (("labels", labels), ("annotations", annotations)):
        if kept := {key: value for key, value in live["metadata"].get(kind, {}).items() if key in keys}:
            metadata[kind] = kept
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata, "spec": deepcopy(live["spec"])}


def _owned(pinned: dict[str, Any], owner: Owner) -> dict[str, Any]:
    """Return the object with its owner. It shares all else with what is pinned: nothing is ever changed in place."""
    return pinned | {"metadata": pinned["metadata"] | {"ownerReferences": [owner.reference()]}}
