"""CustomResourceDefinitions: what is wrong with one, and the resources it defines."""

import re
from collections.abc import Iterator
from typing import Any, Final

from headgate_devcluster.apiserver.builtin_schemas import rooted
from headgate_devcluster.apiserver.errors import FieldError, invalid_value, required
from headgate_devcluster.apiserver.objects import Object, now
from headgate_devcluster.apiserver.resources import Column, ResourceType

_APPROVAL: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = re.compile(r"(^|\.)(k8s|kubernetes)\.io$")


def definition_violations(crd: Object) -> Iterator[FieldError]:
    """Yield what is wrong with a definition."""
    spec = crd["spec"]
    names = spec["names"] or {}
    if not names.get("plural") or not names.get("kind"):
        yield required("spec.names.plural" if not names.get("plural") else "spec.names.kind")
        return
    if crd["metadata"].get("name") != (expected := f"{names['plural']}.{spec['group']}"):
        yield invalid_value("metadata.name", crd["metadata"].get("name"), f'must be spec.names.plural+"."+spec.group, that is {expected}')
    if spec["scope"] not in {"Namespaced", "Cluster"}:
        yield FieldError("spec.scope", "Unsupported value", 'supported values: "Cluster", "Namespaced"', spec["scope"], shows_value=True)
    if _PROTECTED.search(spec["group"]) and not (crd["metadata"].get("annotations") or {}).get(_APPROVAL):
        why = f'protected groups must have approval annotation "{_APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111'
        yield required(f"metadata.annotations[{_APPROVAL}]", why)
    versions = spec["versions"] or []
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid_value(
            "spec.versions", [version.get("name") for version in versions], "must have exactly one version marked as storage version"
        )
    for index, version in enumerate(versions):
        if not ((version.get("schema") or {}).get("openAPIV3Schema")):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")


def resource_types(crd: Object) -> tuple[ResourceType, ...]:
    """Return the served versions of a valid definition."""
    spec = crd["spec"]
    names = spec["names"]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return tuple(
        ResourceType(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            singular=names.get("singular", ""),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            has_status="status" in (version.get("subresources") or {}),
            custom=True,
            schema=rooted(version["schema"]["openAPIV3Schema"]),
            columns=_columns(version),
            storage_version=f"{spec['group']}/{storage}",
        )
        for version in spec["versions"]
        if version.get("served")
    )


def _columns(version: dict[str, Any]) -> tuple[Column, ...]:
    columns = version.get("additionalPrinterColumns") or [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    return tuple(
        Column(
            item["name"],
            item["type"],
            item["jsonPath"],
            item.get("priority", 0),
            item.get("description", ""),
            "age" if item["type"] == "date" else "",
        )
        for item in columns
    )


def with_accepted_status(crd: Object) -> Object:
    """Return the definition with defaulted names and the status the real server gives it once it is served."""
    names = {**crd["spec"]["names"]}
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    before = {condition["type"]: condition for condition in (crd.get("status") or {}).get("conditions") or ()}
    conditions = [
        before.get(kind, {"type": kind, "status": "True", "lastTransitionTime": now(), "reason": reason, "message": message})
        for kind, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    storage = [version["name"] for version in crd["spec"]["versions"] if version.get("storage")]
    spec = {"conversion": {"strategy": "None"}} | crd["spec"] | {"names": names}
    return crd | {"spec": spec, "status": {"conditions": conditions, "acceptedNames": names, "storedVersions": storage}}
