"""A real Prometheus, if this machine has one: scrapes what a test names, on loopback, and ends with the test."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import aiohttp
import pytest

from headgate_devcluster.errors import free_port
from headgate_devcluster.process import die_with
from tests.waiting import eventually

BINARY = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(BINARY is None, reason="no prometheus on the PATH (Debian: apt-get install prometheus)")


class PrometheusServer:
    """Starts and ends with `async with`; may be stopped and started in between, with or without what it remembers."""

    def __init__(
        self,
        folder: Path,
        targets: Mapping[str, dict[str, str]] = MappingProxyType({}),
        *,
        interval: str = "1s",
        jobs: Sequence[dict[str, Any]] = (),
        rules: Sequence[str] = (),
    ) -> None:
        """Scrape each target, `host:port/path`, with its extra labels, and what these jobs find; evaluate the rules of these files."""
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True)
        of_targets = [
            {
                "job_name": f"job-{number}",
                "metrics_path": "/" + target.partition("/")[2],
                "static_configs": [{"targets": [target.partition("/")[0]], "labels": labels}],
            }
            for number, (target, labels) in enumerate(targets.items())
        ]
        times = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
        config = {"global": times, "scrape_configs": [*of_targets, *jobs], "rule_files": [*rules]}
        (folder / "prometheus.yml").write_text(json.dumps(config))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, forgetful: bool = False) -> None:
        assert BINARY is not None
        if forgetful:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
        options = [
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(BINARY, *options, stdout=log, stderr=log, preexec_fn=die_with(os.getpid()))
        async with aiohttp.ClientSession() as session:
            await eventually(lambda: _ready(session, self.url))

    async def until(self, query: str) -> None:
        """Wait until a query has a result."""
        async with aiohttp.ClientSession() as session:

            async def found() -> bool:
                async with session.get(f"{self.url}/api/v1/query", params={"query": query}) as answer:
                    return bool((await answer.json())["data"]["result"])

            await eventually(found)

    async def ask(self, path: str, **parameters: str) -> Any:
        """What the API answers; a query that it refuses is a failure."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            said = await answer.json()
            assert said["status"] == "success", (parameters, said)
            return said["data"]

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.stop()


async def _ready(session: aiohttp.ClientSession, url: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with session.get(f"{url}/-/ready") as answer:
            return answer.status == 200
    return False
