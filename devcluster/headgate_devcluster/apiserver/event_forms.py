"""Events have two forms, core v1 and events.k8s.io/v1, over one storage: what is written in one is read in the other."""

from typing import Final

from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType

_CORE_NAMES: Final = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_NEW_NAMES: Final = {core: new for new, core in _CORE_NAMES.items()}


def in_version(obj: Object, resource: ResourceType) -> Object:
    """Return the object as the given resource's version shows it; the object itself if that is how it is stored."""
    if obj.get("apiVersion") == resource.api_version:
        return obj
    if resource.kind == "Event" and not resource.custom:
        names = _CORE_NAMES if resource.group == "" else _NEW_NAMES
        return {names.get(name, name): value for name, value in obj.items()} | {"apiVersion": resource.api_version}
    return obj | {"apiVersion": resource.api_version}


def stored(obj: Object, resource: ResourceType) -> Object:
    """Return the object in the form it is stored in."""
    if resource.api_version == resource.storage_version:
        return obj
    if resource.kind == "Event" and not resource.custom:
        return {_NEW_NAMES.get(name, name): value for name, value in obj.items()} | {"apiVersion": resource.storage_version}
    return obj | {"apiVersion": resource.storage_version}
