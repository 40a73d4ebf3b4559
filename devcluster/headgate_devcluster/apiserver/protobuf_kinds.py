"""The fields of the built-in kinds that kubectl creates, by their numbers in `k8s.io/api` (generated.proto)."""

from typing import Any, Final

from headgate_devcluster.apiserver.protobuf import (
    BYTES,
    COUNT,
    FLAG,
    INT_OR_STRING,
    NUMBER,
    STRING,
    SWITCH,
    TIME,
    Kind,
    decode,
    keyed,
    many,
    message,
    read_message,
    unknown,
)

_OWNER = message(
    apiVersion=(5, STRING), kind=(1, STRING), name=(3, STRING), uid=(4, STRING), controller=(6, FLAG), blockOwnerDeletion=(7, FLAG)
)
_METADATA: Final = message(
    name=(1, STRING), generateName=(2, STRING), namespace=(3, STRING), selfLink=(4, STRING), uid=(5, STRING), resourceVersion=(6, STRING),
    generation=(7, COUNT), creationTimestamp=(8, TIME), deletionTimestamp=(9, TIME), deletionGracePeriodSeconds=(10, NUMBER),
    labels=(11, keyed(STRING)), annotations=(12, keyed(STRING)), ownerReferences=(13, many(_OWNER)), finalizers=(14, many(STRING)),
)  # fmt: skip
_META: Final = (1, _METADATA)
_REFERENCE = message(kind=(1, STRING), namespace=(2, STRING), name=(3, STRING), uid=(4, STRING), apiVersion=(5, STRING))
_LOCAL_REFERENCE = message(name=(1, STRING))
_RULE = message(
    verbs=(1, many(STRING)), apiGroups=(2, many(STRING)), resources=(3, many(STRING)), resourceNames=(4, many(STRING)),
    nonResourceURLs=(5, many(STRING)),
)  # fmt: skip
_SUBJECT = message(kind=(1, STRING), apiGroup=(2, STRING), name=(3, STRING), namespace=(4, STRING))
_ROLE_REF = message(apiGroup=(1, STRING), kind=(2, STRING), name=(3, STRING))
_ROLE = message(metadata=_META, rules=(2, many(_RULE)))
_BINDING = message(metadata=_META, subjects=(2, many(_SUBJECT)), roleRef=(3, _ROLE_REF))
_PORT = message(name=(1, STRING), hostPort=(2, COUNT), containerPort=(3, NUMBER), protocol=(4, STRING), hostIP=(5, STRING))
_ENV = message(name=(1, STRING), value=(2, STRING))
_CONTAINER = message(
    name=(1, STRING), image=(2, STRING), command=(3, many(STRING)), args=(4, many(STRING)), workingDir=(5, STRING), ports=(6, many(_PORT)),
    env=(7, many(_ENV)), resources=(8, message()), terminationMessagePath=(13, STRING), imagePullPolicy=(14, STRING),
    stdin=(16, SWITCH), stdinOnce=(17, SWITCH), tty=(18, SWITCH), terminationMessagePolicy=(20, STRING),
)  # fmt: skip
_POD_SPEC = message(
    containers=(2, many(_CONTAINER)), restartPolicy=(3, STRING), terminationGracePeriodSeconds=(4, NUMBER), dnsPolicy=(6, STRING),
    serviceAccountName=(8, STRING), serviceAccount=(9, STRING), nodeName=(10, STRING), hostNetwork=(11, SWITCH), hostPID=(12, SWITCH),
    hostIPC=(13, SWITCH), securityContext=(14, message()), hostname=(16, STRING),
    subdomain=(17, STRING), schedulerName=(19, STRING),
    initContainers=(20, many(_CONTAINER)), priorityClassName=(24, STRING),
)  # fmt: skip
_POD_STATUS = message(
    phase=(1, STRING), message=(3, STRING), reason=(4, STRING), hostIP=(5, STRING), podIP=(6, STRING), qosClass=(9, STRING),
    nominatedNodeName=(11, STRING), resize=(14, STRING),
)  # fmt: skip
_TEMPLATE = message(metadata=_META, spec=(2, _POD_SPEC))
_SELECTOR = message(matchLabels=(1, keyed(STRING)))
_ROLLING = message(maxUnavailable=(1, INT_OR_STRING), maxSurge=(2, INT_OR_STRING))
_STRATEGY = message(type=(1, STRING), rollingUpdate=(2, _ROLLING))
_DEPLOYMENT_SPEC = message(
    replicas=(1, NUMBER), selector=(2, _SELECTOR), template=(3, _TEMPLATE), strategy=(4, _STRATEGY),
    minReadySeconds=(5, COUNT), revisionHistoryLimit=(6, NUMBER), paused=(7, SWITCH), progressDeadlineSeconds=(9, NUMBER),
)  # fmt: skip
_REPLICAS = message(
    observedGeneration=(1, COUNT), replicas=(2, COUNT), updatedReplicas=(3, COUNT), availableReplicas=(4, COUNT),
    unavailableReplicas=(5, COUNT), readyReplicas=(7, COUNT),
)  # fmt: skip
_SERVICE_PORT = message(
    name=(1, STRING), protocol=(2, STRING), port=(3, COUNT), targetPort=(4, INT_OR_STRING), nodePort=(5, COUNT), appProtocol=(6, STRING),
)  # fmt: skip
_SERVICE_SPEC = message(
    ports=(1, many(_SERVICE_PORT)), selector=(2, keyed(STRING)), clusterIP=(3, STRING), type=(4, STRING), externalIPs=(5, many(STRING)),
    sessionAffinity=(7, STRING), loadBalancerIP=(8, STRING), externalName=(10, STRING), externalTrafficPolicy=(11, STRING),
    healthCheckNodePort=(12, COUNT), publishNotReadyAddresses=(13, SWITCH), clusterIPs=(18, many(STRING)),
)  # fmt: skip
_ASKED = message(
    namespace=(1, STRING), verb=(2, STRING), group=(3, STRING), version=(4, STRING), resource=(5, STRING), subresource=(6, STRING),
    name=(7, STRING),
)  # fmt: skip
_ALLOWED = message(allowed=(1, SWITCH), reason=(2, STRING), evaluationError=(3, STRING), denied=(4, SWITCH))
_URL = message(path=(1, STRING), verb=(2, STRING))
_TOKEN_SPEC = message(audiences=(1, many(STRING)), boundObjectRef=(3, message()), expirationSeconds=(4, NUMBER))
_PRECONDITIONS = message(uid=(1, STRING), resourceVersion=(2, STRING))
_USER = message(username=(1, STRING), uid=(2, STRING), groups=(3, many(STRING)))

_KINDS: Final[dict[tuple[str, str], Kind]] = {
    ("v1", "ConfigMap"): message(metadata=_META, data=(2, keyed(STRING)), binaryData=(3, keyed(BYTES)), immutable=(4, FLAG)),
    ("v1", "Secret"): message(metadata=_META, data=(2, keyed(BYTES)), type=(3, STRING), stringData=(4, keyed(STRING)), immutable=(5, FLAG)),
    ("v1", "Namespace"): message(
        metadata=_META, spec=(2, message(finalizers=(1, many(STRING)))), status=(3, message(phase=(1, STRING)))
    ),
    ("v1", "ServiceAccount"): message(
        metadata=_META, secrets=(2, many(_REFERENCE)), imagePullSecrets=(3, many(_LOCAL_REFERENCE)), automountServiceAccountToken=(4, FLAG)
    ),
    ("v1", "Service"): message(metadata=_META, spec=(2, _SERVICE_SPEC), status=(3, message(loadBalancer=(1, message())))),
    ("v1", "Pod"): message(metadata=_META, spec=(2, _POD_SPEC), status=(3, _POD_STATUS)),
    ("apps/v1", "Deployment"): message(metadata=_META, spec=(2, _DEPLOYMENT_SPEC), status=(3, _REPLICAS)),
    ("rbac.authorization.k8s.io/v1", "Role"): _ROLE,
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): _ROLE,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): _BINDING,
    ("authentication.k8s.io/v1", "TokenRequest"): message(
        metadata=_META, spec=(2, _TOKEN_SPEC), status=(3, message(token=(1, STRING), expirationTimestamp=(2, TIME)))
    ),
    ("authentication.k8s.io/v1", "SelfSubjectReview"): message(metadata=_META, status=(2, message(userInfo=(1, _USER)))),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): message(
        metadata=_META, spec=(2, message(resourceAttributes=(1, _ASKED), nonResourceAttributes=(2, _URL))), status=(3, _ALLOWED)
    ),
    ("v1", "DeleteOptions"): message(
        gracePeriodSeconds=(1, NUMBER), preconditions=(2, _PRECONDITIONS), orphanDependents=(3, FLAG),
        propagationPolicy=(4, STRING), dryRun=(5, many(STRING)),
    ),
}  # fmt: skip


def parse_protobuf(body: bytes) -> dict[str, Any]:
    """Return the JSON form of an object that came as protobuf.

    Raises:
        Refusal: 400 for what is no protobuf, 415 for a kind or field that is not in the tables.
    """
    api_version, kind, raw = decode(body)
    found = _KINDS.get((api_version, kind))
    if found is None or found.fields is None:
        raise unknown(f"{kind or 'a body without a kind'} of {api_version or 'no apiVersion'}")
    return {"apiVersion": api_version, "kind": kind} | read_message(raw, found.fields, kind)
