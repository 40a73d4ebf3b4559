"""What the objects of an earlier cluster have to be told: its only node was off, so none of its Pods runs any more."""

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.objects import POD, PORT_ANNOTATION, Object, timestamp

_RUNNING = ("Ready", "ContainersReady")


async def mark_pods_stopped(api: ApiClient) -> None:
    """Take the addresses of Pods away and make them unready, so that nobody is sent to a port that is closed or somebody else's."""
    for pod in await api.list(POD.api_version, POD.plural):
        target = (POD.api_version, POD.plural, pod["metadata"]["namespace"], pod["metadata"]["name"])
        await api.merge_patch(*target, {"metadata": {"annotations": {PORT_ANNOTATION: None}}})
        await api.merge_patch(*target, {"status": _stopped(pod.get("status") or {})}, subresource="status")


def _stopped(status: Object) -> Object:
    now = timestamp()
    return {
        "conditions": [
            condition | {"status": "False", "lastTransitionTime": now} if condition["type"] in _RUNNING else condition
            for condition in status.get("conditions") or ()
        ],
        "containerStatuses": [container | {"ready": False} for container in status.get("containerStatuses") or ()],
    }
