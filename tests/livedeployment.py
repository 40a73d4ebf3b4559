"""A ModelDeployment on an API server double, for tests of commands in which the test plays the operator."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import Result

from headgate_devcluster.apiclient import ApiClient
from headgate_operator.api.names import API_VERSION, COMMAND_ANNOTATION
from tests.waiting import eventually

NAME = "flight-delay"


AT = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Command = Callable[..., Awaitable[Result]]


def pinned(id_: str, version: str, slot: int) -> dict[str, Any]:
    return {"id": id_, "modelUri": f"s3://m/{version}", "version": version, "isvc": f"x-{version}", "slot": slot}


RENDERED: dict[str, Any] = {"inferenceService": {}, "servingRuntime": {}}


STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Progressing",
    "url": "http://flight-delay.ml.example.com",
    "stable": pinned("r1111aaaa", "6", 0) | {"since": AT},
    "candidate": pinned("r2222bbbb", "7", 1) | {"inputs": {}, "rendered": RENDERED, "startedAt": AT, "step": 1, "weight": 25},
    "traffic": [{"id": "r1111aaaa", "weight": 75, "requests": 421}, {"id": "r2222bbbb", "weight": 25, "requests": 140}],
    "analysis": {
        "candidate": "r2222bbbb",
        "candidateSlot": 1,
        "stableSlot": 0,
        "weight": 25,
        "metrics": [
            {
                "name": "errors", "evidence": 0.8, "bound": 5.3, "requestsNeeded": 180,
                "bad": {"candidate": 1, "stable": 3}, "total": {"candidate": 140, "stable": 421},
            }
        ],
    },
    "rejected": [{"id": "r0000cccc", "version": "5", "reason": "ErrorsWorse", "message": "8 of 60 failed", "at": "2026-11-20T10:00:00Z"}],
    "history": [
        {
            "id": "r1111aaaa", "modelUri": "s3://m/6", "version": "6", "isvc": "x-6", "promotedAt": "2026-11-19T10:00:00Z",
            "inputs": {}, "rendered": RENDERED,
        }
    ],
    "conditions": [
        {
            "type": "Ready", "status": "True", "reason": "Healthy", "message": "r1111aaaa (6) serves", "observedGeneration": 1,
            "lastTransitionTime": AT,
        }
    ],
}  # fmt: skip


class Cluster:
    """The API server and a hand on it."""

    def __init__(self, api: ApiClient, kubeconfig: Path, headgate: Callable[..., Result]) -> None:
        self.api = api
        self.kubeconfig = kubeconfig
        self._headgate = headgate

    async def run(self, *args: str) -> Result:
        """Run the command in a thread: it has an event loop of its own."""
        return await asyncio.to_thread(self._headgate, *args, "--kubeconfig", self.kubeconfig)

    async def deployment(self) -> dict[str, Any]:
        obj = await self.api.get(API_VERSION, "modeldeployments", "ml", NAME)
        assert obj is not None
        return obj

    async def set_status(self, **changes: Any) -> None:
        obj = await self.deployment()
        await self.api.replace_status(obj | {"status": obj.get("status", {}) | changes})

    async def operator_answers(self, result: str = "Applied") -> None:
        """Acknowledge the next command and remove it, as the operator does."""

        async def asked() -> Any:
            return (await self.deployment())["metadata"].get("annotations", {}).get(COMMAND_ANNOTATION)

        text = await eventually(asked, 300)
        await self.set_status(lastCommand={"command": text, "at": AT, "result": result})
        await self.api.merge_patch(
            API_VERSION, "modeldeployments", "ml", NAME, {"metadata": {"annotations": {COMMAND_ANNOTATION: None}}}
        )  # fmt: skip
