"""KServe's payload logger on objects: annotations on the pod template, the agent's container on the Pod, another port on the Service."""

from headgate_devcluster.kserve.names import AGENT_CONTAINER, ISVC_LABEL
from headgate_devcluster.objects import Object

AGENT_PORT = 9081

_INTERNAL = "internal.serving.kserve.io/"
_SWITCH, _URL, _MODE, _HEADERS = (f"{_INTERNAL}{name}" for name in ("logger", "logger-sink-url", "logger-mode", "logger-metadata-headers"))
_DEFAULT_URL = "http://default-broker"


def annotations(isvc: Object) -> dict[str, str]:
    """What the controller writes on the pod template for an InferenceService that logs; empty for one that does not."""
    wanted = isvc["spec"]["predictor"].get("logger")
    if wanted is None:
        return {}
    headers = ",".join(wanted.get("metadataHeaders", []))
    return {
        _SWITCH: "true",
        _URL: wanted.get("url", _DEFAULT_URL),
        _MODE: wanted.get("mode", "all"),
    } | ({_HEADERS: headers} if headers else {})


def inject(pod: Object) -> Object:
    """The Pod with the agent's container, if its annotations ask for it, as KServe's webhook for pods does."""
    meta = pod["metadata"]
    told = meta.get("annotations", {})
    if told.get(_SWITCH) != "true":
        return pod
    arguments = {
        "--log-url": told[_URL],
        "--log-mode": told[_MODE],
        "--inference-service": meta["labels"][ISVC_LABEL],
        "--namespace": meta["namespace"],
        "--component": meta["labels"].get("component", "predictor"),
        "--endpoint": meta["labels"].get("endpoint", ""),
        "--metadata-headers": told.get(_HEADERS, ""),
    }
    agent = {
        "name": AGENT_CONTAINER,
        "image": "kserve/agent",
        "args": [part for pair in arguments.items() for part in pair],
        "ports": [{"containerPort": AGENT_PORT, "name": "agent-port", "protocol": "TCP"}],
    }
    return pod | {"spec": pod["spec"] | {"containers": [*pod["spec"]["containers"], agent]}}


def agent_arguments(pod: Object) -> tuple[str, ...] | None:
    """The arguments of the Pod's agent, None if it has none."""
    agents = (part for part in pod["spec"]["containers"] if part["name"] == AGENT_CONTAINER)
    return next((tuple(agent.get("args", ())) for agent in agents), None)
