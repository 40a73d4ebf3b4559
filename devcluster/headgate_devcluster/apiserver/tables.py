"""What `kubectl get` prints: rows made by the server from a kind's columns."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from headgate_devcluster.apiserver.json_paths import values
from headgate_devcluster.apiserver.objects import Object, to_json
from headgate_devcluster.apiserver.resources import Column, ResourceType

_NAME: Final = {"name": "Name", "type": "string", "format": "name", "description": "Name of the object", "priority": 0}


def is_wanted(accept: str) -> bool:
    """Say whether the client prefers a table."""
    first = accept.partition(",")[0]
    return "as=Table" in first and "g=meta.k8s.io" in first and "v=v1" in first


def table(items: list[Object], resource: ResourceType, metadata: Object, include: str) -> Object:
    """Return a Table of objects; `include` is Metadata, Object or None."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_NAME, *map(_definition, resource.columns)],
        "rows": [_row(obj, resource, include) for obj in items],
    }


def row_table(obj: Object, resource: ResourceType) -> Object:
    """Return one object as a Table, for watches."""
    return table([obj], resource, {"resourceVersion": obj["metadata"]["resourceVersion"]}, "Metadata")


def _definition(column: Column) -> Object:
    kind = column.type if column.type != "date" else "string"
    return {"name": column.name, "type": kind, "format": "", "description": column.description, "priority": column.priority}


def _row(obj: Object, resource: ResourceType, include: str) -> Object:
    row: Object = {"cells": [obj["metadata"]["name"], *(cell(obj, column) for column in resource.columns)]}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return row


def cell(obj: Object, column: Column) -> Any:
    """Return what stands in a column; null if the object does not say."""
    if special := _SPECIAL.get(column.format):
        return special(obj)
    found = next((found for path in column.path.split(" | ") if (found := values(obj, path))), [])
    if column.format == "count":
        return len(found[0]) if found else 0
    if column.format == "age":
        return age(str(found[0])) if found else "<unknown>"
    if not found:
        return None
    if column.format == "object":
        return f"{str(found[0].get('kind', '')).lower()}/{found[0].get('name', '')}"
    return found[0] if column.type in {"integer", "number", "boolean"} else ",".join(map(_text, found))


def _pod_ready(obj: Object) -> str:
    statuses = values(obj, ".status.containerStatuses[*]")
    return f"{sum(bool(status.get('ready')) for status in statuses)}/{len(values(obj, '.spec.containers[*]'))}"


def _replicas_ready(obj: Object) -> str:
    ready, wanted = values(obj, ".status.readyReplicas"), values(obj, ".spec.replicas")
    return f"{ready[0] if ready else 0}/{wanted[0] if wanted else 0}"


def _ports(obj: Object) -> str:
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in values(obj, ".spec.ports[*]")) or "<none>"


def _selector(obj: Object) -> str:
    selector = obj["spec"].get("selector") or {}
    found = selector.get("matchLabels", selector)
    return ",".join(f"{key}={value}" for key, value in sorted(found.items())) or "<none>"


def _scaled(obj: Object) -> str:
    target = obj["spec"]["scaleTargetRef"]
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _scaling_targets(obj: Object) -> str:
    """Nothing here measures how much processor or memory a pod uses."""
    metrics = values(obj, ".spec.metrics[*].resource")
    return ", ".join(f"{metric['name']}: <unknown>/{metric['target'].get('averageUtilization')}%" for metric in metrics) or "<none>"


_SPECIAL: Final[Mapping[str, Callable[[Object], str]]] = {
    "pod-ready": _pod_ready,
    "replicas-ready": _replicas_ready,
    "ports": _ports,
    "selector": _selector,
    "scaled": _scaled,
    "scaling-targets": _scaling_targets,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_json(value).decode() if isinstance(value, dict | list) else str(value)


def age(text: str) -> str:
    """Return how long ago a time is, the way kubectl says it: 45s, 12m, 3h5m, 4d."""
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return "<invalid>"
    seconds = int((datetime.now(UTC) - then).total_seconds())
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"
