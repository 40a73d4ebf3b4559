"""An operator as a process of its own, what it says, and waiting for what it does."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.apiclient import ApiClient
from headgate_operator.api.names import API_VERSION, KIND
from tests.waiting import eventually


class Operator:
    """One operator process and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.port = port
        self._began = time.monotonic()
        self._started_in = 0.0

    @property
    def at_once(self) -> float:
        """How many seconds are "at once" on this machine: not more than 5, or than a start took where even that takes longer."""
        return max(5.0, self._started_in)

    @property
    def said(self) -> str:
        return self.log.read_text()

    async def get(self, path: str) -> tuple[int, str]:
        """Ask its own server; status 0 while it does not listen yet."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
                self._started_in = self._started_in or time.monotonic() - self._began
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def leads(self) -> bool:
        return "headgate_leader 1.0" in (await self.get("/metrics"))[1]

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        async with asyncio.timeout(60):
            code = await self.process.wait()
        return code, time.monotonic() - started


async def until(met: Callable[[], Awaitable[Any]], operator: Operator, seconds: float = 60) -> None:
    try:
        await eventually(met, seconds)
    except TimeoutError:
        pytest.fail(f"not within {seconds:g} s; the operator said:\n{operator.said}")


def manifest(name: str = "flight-delay") -> dict[str, Any]:
    model = {"uri": "s3://models/7", "format": {"name": "xgboost"}, "runtime": "absent"}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name, "namespace": "ml"}, "spec": {"model": model}}


async def stalled(api: ApiClient, name: str = "flight-delay") -> bool:
    """Whether the operator has looked at the object: its runtime does not exist, and it says so."""
    obj = await api.get(API_VERSION, "modeldeployments", "ml", name) or {}
    return any(condition["reason"] == "RuntimeMissing" for condition in obj.get("status", {}).get("conditions", ()))
