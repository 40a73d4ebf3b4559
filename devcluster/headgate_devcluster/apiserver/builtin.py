"""The built-in kinds."""

from typing import Final

from headgate_devcluster.apiserver import builtin_schemas as schemas
from headgate_devcluster.apiserver.resources import Column, ResourceType

AGE: Final = Column("Age", "string", ".metadata.creationTimestamp", format="age")
DATA: Final = Column("Data", "string", ".data", format="count")

_CORE_EVENT_COLUMNS: Final = (
    Column("Last Seen", "string", ".lastTimestamp | .series.lastObservedTime | .eventTime", format="age"),
    Column("Type", "string", ".type"),
    Column("Reason", "string", ".reason"),
    Column("Object", "string", ".involvedObject", format="object"),
    Column("Message", "string", ".message"),
)

_EVENT_COLUMNS: Final = (
    Column("Last Seen", "string", ".deprecatedLastTimestamp | .series.lastObservedTime | .eventTime", format="age"),
    Column("Type", "string", ".type"),
    Column("Reason", "string", ".reason"),
    Column("Object", "string", ".regarding", format="object"),
    Column("Message", "string", ".note"),
)

NAMESPACES: Final = ResourceType(
    group="", version="v1", plural="namespaces", kind="Namespace", namespaced=False, short_names=("ns",), has_status=True,
    has_generation=False, unconditional_update=True, name_rule="label", schema=schemas.rooted(schemas.NAMESPACE),
    columns=(Column("Status", "string", ".status.phase"), AGE),
)  # fmt: skip

CUSTOM_RESOURCE_DEFINITIONS: Final = ResourceType(
    group="apiextensions.k8s.io", version="v1", plural="customresourcedefinitions", kind="CustomResourceDefinition", namespaced=False,
    short_names=("crd", "crds"), categories=("api-extensions",), has_status=True, schema=schemas.rooted(schemas.CUSTOM_RESOURCE_DEFINITION),
    columns=(Column("Created At", "date", ".metadata.creationTimestamp", format="plain"),),
)  # fmt: skip

CORE_EVENTS: Final = ResourceType(
    group="", version="v1", plural="events", kind="Event", short_names=("ev",), has_generation=False, unconditional_update=True,
    schema=schemas.rooted(schemas.EVENT), columns=_CORE_EVENT_COLUMNS,
    storage=("events.k8s.io", "events"), storage_version="events.k8s.io/v1",
)  # fmt: skip

EVENTS: Final = ResourceType(
    group="events.k8s.io", version="v1", plural="events", kind="Event", short_names=("ev",), has_generation=False,
    unconditional_update=True, schema=schemas.rooted(schemas.EVENT), columns=_EVENT_COLUMNS,
)  # fmt: skip

PODS: Final = ResourceType(
    group="", version="v1", plural="pods", kind="Pod", short_names=("po",), categories=("all",), has_status=True,
    subresources=("log",), unconditional_update=True, schema=schemas.rooted(schemas.POD),
    columns=(
        Column("Ready", "string", "", format="pod-ready"),
        Column("Status", "string", ".status.phase"),
        Column("Restarts", "string", ".status.containerStatuses[0].restartCount"),
        AGE,
        Column("IP", "string", ".status.podIP", 1),
        Column("Node", "string", ".spec.nodeName", 1),
        Column("Nominated Node", "string", ".status.nominatedNodeName", 1),
        Column("Readiness Gates", "string", ".spec.readinessGates[*].conditionType", 1),
    ),
)  # fmt: skip

RBAC_KINDS: Final = tuple(
    ResourceType(
        group="rbac.authorization.k8s.io", version="v1", plural=f"{kind.lower()}s", kind=kind, namespaced=not kind.startswith("Cluster"),
        has_generation=False, unconditional_update=True, name_rule="path", schema=schemas.rooted(schema), columns=columns,
    )
    for kind, schema, columns in (
        ("Role", schemas.ROLE, (Column("Created At", "date", ".metadata.creationTimestamp", format="plain"),)),
        ("ClusterRole", schemas.ROLE, (Column("Created At", "date", ".metadata.creationTimestamp", format="plain"),)),
        ("RoleBinding", schemas.ROLE_BINDING, (Column("Role", "string", ".roleRef.name"), AGE)),
        ("ClusterRoleBinding", schemas.ROLE_BINDING, (Column("Role", "string", ".roleRef.name"), AGE)),
    )
)  # fmt: skip

BUILTINS: Final = (
    NAMESPACES,
    ResourceType(
        group="", version="v1", plural="configmaps", kind="ConfigMap", short_names=("cm",), has_generation=False,
        unconditional_update=True, schema=schemas.rooted(schemas.CONFIG_MAP), columns=(DATA, AGE),
    ),
    ResourceType(
        group="", version="v1", plural="secrets", kind="Secret", has_generation=False, unconditional_update=True,
        schema=schemas.rooted(schemas.SECRET), columns=(Column("Type", "string", ".type"), DATA, AGE),
    ),
    ResourceType(
        group="", version="v1", plural="services", kind="Service", short_names=("svc",), categories=("all",), has_status=True,
        has_generation=False, unconditional_update=True, name_rule="label1035", schema=schemas.rooted(schemas.SERVICE),
        columns=(
            Column("Type", "string", ".spec.type"),
            Column("Cluster-IP", "string", ".spec.clusterIP"),
            Column("External-IP", "string", ".spec.externalIPs[*]"),
            Column("Port(s)", "string", "", format="ports"),
            AGE,
            Column("Selector", "string", "", 1, format="selector"),
        ),
    ),
    PODS,
    CORE_EVENTS,
    EVENTS,
    ResourceType(
        group="", version="v1", plural="serviceaccounts", kind="ServiceAccount", short_names=("sa",), has_generation=False,
        subresources=("token",),
        unconditional_update=True, schema=schemas.rooted(schemas.open_object()), columns=(AGE,),
    ),
    ResourceType(
        group="apps", version="v1", plural="deployments", kind="Deployment", short_names=("deploy",), categories=("all",),
        has_status=True, subresources=("scale",), unconditional_update=True, schema=schemas.rooted(schemas.DEPLOYMENT),
        columns=(
            Column("Ready", "string", "", format="replicas-ready"),
            Column("Up-to-date", "string", ".status.updatedReplicas"),
            Column("Available", "string", ".status.availableReplicas"),
            AGE,
            Column("Containers", "string", ".spec.template.spec.containers[*].name", 1),
            Column("Images", "string", ".spec.template.spec.containers[*].image", 1),
            Column("Selector", "string", "", 1, format="selector"),
        ),
    ),
    ResourceType(
        group="autoscaling", version="v2", plural="horizontalpodautoscalers", kind="HorizontalPodAutoscaler", short_names=("hpa",),
        categories=("all",), has_status=True, has_generation=False, unconditional_update=True,
        schema=schemas.rooted(schemas.HORIZONTAL_POD_AUTOSCALER),
        columns=(
            Column("Reference", "string", "", format="scaled"),
            Column("Targets", "string", "", format="scaling-targets"),
            Column("MinPods", "string", ".spec.minReplicas"),
            Column("MaxPods", "string", ".spec.maxReplicas"),
            Column("Replicas", "string", ".status.currentReplicas"),
            AGE,
        ),
    ),
    ResourceType(
        group="coordination.k8s.io", version="v1", plural="leases", kind="Lease", has_generation=False,
        schema=schemas.rooted(schemas.LEASE),
        columns=(Column("Holder", "string", ".spec.holderIdentity"), AGE),
    ),
    CUSTOM_RESOURCE_DEFINITIONS,
    *RBAC_KINDS,
)  # fmt: skip
