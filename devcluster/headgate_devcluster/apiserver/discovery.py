"""Telling clients what is served: versions, groups and resources, in the old form and in the aggregated one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import Catalogue, ResourceType

VERSION: Final[Object] = {
    "major": "1",
    "minor": "35",
    "gitVersion": "v1.35.4+headgate-devcluster-test-double",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none: a development and test double, not Kubernetes",
    "compiler": "none",
    "platform": "python",
}

_SUBRESOURCES: Final[Mapping[str, Callable[[ResourceType], tuple[dict[str, str], list[str]]]]] = {
    "log": lambda item: ({"group": item.group, "version": item.version, "kind": item.kind}, ["get"]),
    "scale": lambda _: ({"group": "autoscaling", "version": "v1", "kind": "Scale"}, ["get", "patch", "update"]),
    "token": lambda _: ({"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}, ["create"]),
}
"""What a subresource answers with, and its verbs."""
_VERBS: Final = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def groups(catalogue: Catalogue) -> Object:
    """Return the answer to GET /apis."""
    names = dict.fromkeys(item.group for item in catalogue if item.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, catalogue) for name in names]}


def group(name: str, catalogue: Catalogue) -> Object | None:
    """Return the answer to GET /apis/<group>, None if there is no such group."""
    if not any(item.group == name for item in catalogue):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, catalogue)}


def _group(name: str, catalogue: Catalogue) -> Object:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(name, catalogue)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _versions(name: str, catalogue: Catalogue) -> list[str]:
    return list(dict.fromkeys(item.version for item in sorted(catalogue, key=_stored_first) if item.group == name))


def _stored_first(item: ResourceType) -> bool:
    return item.api_version != item.storage_version


def resources(group_name: str, version: str, catalogue: Catalogue) -> Object | None:
    """Return the answer to GET /api/v1 or /apis/<group>/<version>, None if nothing is served there."""
    found = [item for item in catalogue if (item.group, item.version) == (group_name, version)]
    if not found:
        return None
    listed = [entry for item in found for entry in _entries(item)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": found[0].api_version, "resources": listed}


def _entries(item: ResourceType) -> Iterable[Object]:
    yield {
        "name": item.plural, "singularName": item.singular, "namespaced": item.namespaced, "kind": item.kind, "verbs": _VERBS,
        **({"shortNames": list(item.short_names)} if item.short_names else {}),
        **({"categories": list(item.categories)} if item.categories else {}),
    }  # fmt: skip
    if item.has_status:
        yield {
            "name": f"{item.plural}/status", "singularName": "", "namespaced": item.namespaced, "kind": item.kind,
            "verbs": ["get", "patch", "update"],
        }  # fmt: skip
    for name in item.subresources:
        kind, verbs = _SUBRESOURCES[name](item)
        yield {"name": f"{item.plural}/{name}", "singularName": "", "namespaced": item.namespaced, **kind, "verbs": verbs}


def aggregated(names: Iterable[str], catalogue: Catalogue) -> Object:
    """Return everything about these groups in one document (apidiscovery.k8s.io/v2)."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name} if name else {},
                "versions": [
                    {
                        "version": version,
                        "freshness": "Current",
                        "resources": [_described(item) for item in catalogue if (item.group, item.version) == (name, version)],
                    }
                    for version in _versions(name, catalogue)
                ],
            }
            for name in names
        ],
    }


def _described(item: ResourceType) -> Object:
    kind = {"group": item.group, "version": item.version, "kind": item.kind}
    described: Object = {
        "resource": item.plural,
        "responseKind": kind,
        "scope": "Namespaced" if item.namespaced else "Cluster",
        "singularResource": item.singular,
        "verbs": _VERBS,
        "shortNames": list(item.short_names),
        "categories": list(item.categories),
    }
    below = [{"subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]}] if item.has_status else []
    for name in item.subresources:
        answered, verbs = _SUBRESOURCES[name](item)
        below.append({"subresource": name, "responseKind": answered, "verbs": verbs})
    return described | ({"subresources": below} if below else {})
