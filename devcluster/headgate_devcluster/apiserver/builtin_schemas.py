"""What the server must know of built-in kinds: which lists are keyed, which fields have a strict type. The rest is kept as it is."""

from typing import Final

from headgate_devcluster.apiserver.resources import Schema

STRING: Final[Schema] = {"type": "string"}
INTEGER: Final[Schema] = {"type": "integer"}
STRINGS: Final[Schema] = {"type": "object", "additionalProperties": STRING}


def open_object(**properties: Schema) -> Schema:
    """Return the schema of an object that keeps unknown fields."""
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": properties}


def keyed_list(*keys: str, items: Schema | None = None) -> Schema:
    """Return the schema of a list whose items merge by key."""
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(keys),
        "items": items or open_object(),
    }


def set_list(items: Schema = STRING) -> Schema:
    """Return the schema of a list whose items are a set."""
    return {"type": "array", "x-kubernetes-list-type": "set", "items": items}


METADATA: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": STRING,
        "generateName": STRING,
        "namespace": STRING,
        "uid": STRING,
        "resourceVersion": STRING,
        "generation": INTEGER,
        "labels": STRINGS,
        "annotations": STRINGS,
        "finalizers": set_list(),
        "ownerReferences": keyed_list(
            "uid", items=open_object(apiVersion=STRING, kind=STRING, name=STRING, uid=STRING) | {"x-kubernetes-map-type": "atomic"}
        ),
        "managedFields": {"type": "array", "items": open_object()},
    },
}

CONDITIONS: Final = keyed_list("type")

_PORT: Final = open_object(name=STRING, protocol=STRING | {"default": "TCP"})
_CONTAINER: Final = open_object(
    name=STRING,
    image=STRING,
    args={"type": "array", "items": STRING},
    command={"type": "array", "items": STRING},
    env=keyed_list("name", items=open_object(name=STRING, value=STRING)),
    ports=keyed_list("containerPort", "protocol", items=_PORT),
    volumeMounts=keyed_list("mountPath"),
)
_POD_SPEC: Final = open_object(
    containers=keyed_list("name", items=_CONTAINER),
    initContainers=keyed_list("name", items=_CONTAINER),
    volumes=keyed_list("name"),
    imagePullSecrets=keyed_list("name"),
    nodeSelector=STRINGS | {"x-kubernetes-map-type": "atomic"},
)
_SELECTOR: Final = open_object() | {"x-kubernetes-map-type": "atomic"}

POD: Final = open_object(spec=_POD_SPEC, status=open_object(conditions=CONDITIONS, podIPs=keyed_list("ip")))
DEPLOYMENT: Final = open_object(
    spec=open_object(replicas=INTEGER, selector=_SELECTOR, template=open_object(metadata=METADATA, spec=_POD_SPEC))
    | {"required": ["selector", "template"]},
    status=open_object(conditions=CONDITIONS),
) | {"required": ["spec"]}
_SCALING: Final = open_object(minReplicas=INTEGER, maxReplicas=INTEGER, scaleTargetRef=open_object())
HORIZONTAL_POD_AUTOSCALER: Final = open_object(
    spec=_SCALING | {"required": ["scaleTargetRef", "maxReplicas"]}, status=open_object(conditions=CONDITIONS)
) | {"required": ["spec"]}
SERVICE: Final = open_object(
    spec=open_object(ports=keyed_list("port", "protocol", items=_PORT), selector=STRINGS | {"x-kubernetes-map-type": "atomic"}),
    status=open_object(conditions=CONDITIONS),
)
CONFIG_MAP: Final = open_object(data=STRINGS, binaryData=STRINGS, immutable={"type": "boolean"})
SECRET: Final = open_object(data=STRINGS, stringData=STRINGS, type=STRING)
NAMESPACE: Final = open_object(status=open_object(conditions=CONDITIONS))
LEASE: Final = open_object(
    spec=open_object(holderIdentity=STRING, leaseDurationSeconds=INTEGER, leaseTransitions=INTEGER, acquireTime=STRING, renewTime=STRING)
)
EVENT: Final = open_object(
    regarding=open_object() | {"x-kubernetes-map-type": "atomic"}, involvedObject=open_object() | {"x-kubernetes-map-type": "atomic"},
    eventTime=STRING, reason=STRING, action=STRING, note=STRING, message=STRING, type=STRING,
    reportingController=STRING, reportingInstance=STRING,
)  # fmt: skip
_LIST: Final[Schema] = {"type": "array", "items": STRING}
_RULE: Final = open_object(verbs=_LIST, apiGroups=_LIST, resources=_LIST, resourceNames=_LIST, nonResourceURLs=_LIST) | {
    "required": ["verbs"]
}
_SUBJECT: Final = open_object(kind=STRING, apiGroup=STRING, name=STRING, namespace=STRING) | {"required": ["kind", "name"]}
_ROLE_REF: Final = open_object(apiGroup=STRING, kind=STRING, name=STRING) | {"required": ["kind", "name"]}
ROLE: Final = open_object(rules={"type": "array", "items": _RULE})
ROLE_BINDING: Final = open_object(subjects={"type": "array", "items": _SUBJECT}, roleRef=_ROLE_REF) | {"required": ["roleRef"]}
CUSTOM_RESOURCE_DEFINITION: Final = open_object(
    spec=open_object(
        group=STRING, scope=STRING, names=open_object(plural=STRING, kind=STRING), versions={"type": "array", "items": open_object()}
    )
    | {"required": ["group", "names", "scope", "versions"]},
    status=open_object(conditions=CONDITIONS),
) | {"required": ["spec"]}


def rooted(schema: Schema) -> Schema:
    """Return a schema of a whole object, its metadata described as for every kind."""
    properties = {"apiVersion": STRING, "kind": STRING} | (schema.get("properties") or {}) | {"metadata": METADATA}
    return schema | {"properties": properties}
