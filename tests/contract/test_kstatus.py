"""What GitOps tools take for done is decided by fields that the API server fills in and keeps."""

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
