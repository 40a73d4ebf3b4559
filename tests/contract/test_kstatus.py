"""What GitOps tools take for done, and for a difference, is decided by fields that the API server fills in and keeps."""

from typing import Any

from headgate_operator.api.crd import UNSEEN
from headgate_operator.api.names import API_VERSION
from tests.kstatus import kstatus


async def test_an_object_that_no_operator_has_seen_is_in_progress(server: Any) -> None:
    await server.api.create(server.model("m"))
    found = await server.api.get(API_VERSION, "modeldeployments", server.namespace, "m")
    assert found["status"] == UNSEEN
    assert kstatus(found) == "InProgress"
    seen = {"observedGeneration": 1, "phase": "Pending", "conditions": []}
    await server.api.merge_patch(API_VERSION, "modeldeployments", server.namespace, "m", {"status": seen}, subresource="status")
    found = await server.api.get(API_VERSION, "modeldeployments", server.namespace, "m")
    assert (found["status"]["observedGeneration"], kstatus(found)) == (1, "Current")
    await server.api.merge_patch(API_VERSION, "modeldeployments", server.namespace, "m", {"spec": {"paused": True}})
    assert kstatus(await server.api.get(API_VERSION, "modeldeployments", server.namespace, "m")) == "InProgress"


async def test_what_git_says_is_in_sync_although_the_operator_and_a_person_wrote_too(server: Any) -> None:
    """As Argo CD's server-side diff and Flux see it: an apply of the same manifest would change nothing, defaults in lists included."""
    manifest = server.model("m", rollout={"steps": [{"weight": 5}, {"pause": True}, {"weight": 50}]})
    where = {"field_manager": "argocd-controller"}
    applied = await server.api.apply(manifest, **where)
    assert applied["spec"]["rollout"]["steps"] != manifest["spec"]["rollout"]["steps"], "defaults were filled in"
    target = (API_VERSION, "modeldeployments", server.namespace, "m")
    await server.api.merge_patch(*target, {"status": {"observedGeneration": 1, "phase": "Healthy"}}, subresource="status")
    await server.api.merge_patch(*target, {"metadata": {"annotations": {"headgate.dev/command": "pause@r00000000"}}})
    live = await server.api.get(*target)
    again = await server.api.apply(manifest, **where)
    assert without_bookkeeping(again) == without_bookkeeping(live)
    assert again["metadata"]["generation"] == 1


def without_bookkeeping(obj: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in obj["metadata"].items() if key not in {"managedFields", "resourceVersion"}}
    return obj | {"metadata": kept}
