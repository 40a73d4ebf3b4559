"""What an update keeps of the stored object: the part its door does not write, the server's own metadata, what never changes."""

from typing import Final

from headgate_devcluster.apiserver.errors import FieldError, invalid, invalid_value, modified
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType, Target

SERVERS_OWN: Final = ("generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


def through_door(obj: Object, old: Object, target: Target) -> Object:
    """Keep what the request may not write: everything but status through the status door, status through the main one."""
    if target.subresource:
        metadata = old["metadata"] | {
            name: obj["metadata"][name] for name in ("managedFields", "resourceVersion", "uid") if name in obj["metadata"]
        }
        rest = {name: value for name, value in old.items() if name not in {"metadata", target.subresource}}
        return rest | {"metadata": metadata} | ({target.subresource: obj[target.subresource]} if target.subresource in obj else {})
    if target.resource.has_status:
        obj = {name: value for name, value in obj.items() if name != "status"}
        return obj | ({"status": old["status"]} if "status" in old else {})
    return dict(obj)


def carry_over(obj: Object, old: Object, resource: ResourceType) -> None:
    """Complete metadata from the stored object; 409 if the resourceVersion sent is not the current one."""
    metadata, before = dict(obj["metadata"]), old["metadata"]
    if metadata.get("resourceVersion") not in {None, "", "0", before["resourceVersion"]}:
        raise modified(resource, before["name"])
    metadata["resourceVersion"] = before["resourceVersion"]
    metadata["uid"] = metadata.get("uid") or before["uid"]
    created = metadata.get("creationTimestamp") or before["creationTimestamp"]
    for name in SERVERS_OWN:
        metadata.pop(name, None)
        if name in before:
            metadata[name] = before[name]
    metadata["creationTimestamp"] = created
    if "managedFields" not in metadata and "managedFields" in before:
        metadata["managedFields"] = before["managedFields"]
    for name in ("labels", "annotations", "finalizers", "ownerReferences"):
        if name in metadata and not metadata[name]:
            del metadata[name]
    obj["metadata"] = metadata


def require_immutable(obj: Object, old: Object, resource: ResourceType) -> None:
    """Refuse with 422 a change of what never changes."""
    metadata, before = obj["metadata"], old["metadata"]
    errors = [
        invalid_value(f"metadata.{name}", metadata.get(name), "field is immutable")
        for name in ("name", "namespace", "uid", "creationTimestamp")
        if metadata.get(name) != before.get(name)
    ]
    added = [item for item in metadata.get("finalizers") or () if item not in (before.get("finalizers") or ())]
    if before.get("deletionTimestamp") and added:
        listed = ", ".join(f'"{item}"' for item in added)
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
        errors.append(FieldError("metadata.finalizers", "Forbidden", why))
    if errors:
        raise invalid(resource, before["name"], errors)


def counted(obj: Object, resource: ResourceType) -> Object:
    """Return what generation counts: everything but metadata, and status where it is written separately."""
    left_out = {"apiVersion", "kind", "metadata"} | ({"status"} if resource.has_status else set())
    return {name: value for name, value in obj.items() if name not in left_out}
