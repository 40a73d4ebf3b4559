"""A scripted HTTP server on loopback: it answers what the test says and remembers what it was asked."""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.connect import connect
from tests.served import everything, served


@dataclass
class Script:
    """Answers to give in turn; the last one is repeated."""

    answers: deque[web.Response | Callable[[], Awaitable[web.Response]]] = field(default_factory=deque)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def say(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers.append(lambda: _respond(text, status, headers))

    def refuse(self, status: int, message: str, **more: Any) -> None:
        headers = more.pop("headers", None)
        self.say({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status, **more}, status, headers)

    async def handle(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.asked.append((request.method, request.path, dict(request.query), json.loads(text) if text else None))
        self.headers.append(dict(request.headers))
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        return await answer()


async def _respond(text: str, status: int, headers: dict[str, str] | None) -> web.Response:
    return web.Response(text=text, status=status, headers=headers)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def address(script: Script) -> AsyncIterator[str]:
    async with served(everything(script.handle)) as url:
        yield url


def write_kubeconfig(path: Path, server: str, token: str = "secret") -> Path:
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return path


@pytest.fixture
def kubeconfig(address: str, tmp_path: Path) -> Path:
    return write_kubeconfig(tmp_path / "kubeconfig", address)


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[KubeClient]:
    connected = await connect(kubeconfig, request_timeout=60)
    yield connected
    await connected.close()
