"""The operator as a process of its own, measured from outside: what the kernel says of it, and its own /metrics."""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from headgate_devcluster.errors import free_port

_TICKS = os.sysconf("SC_CLK_TCK")
_WRITING = ("patch", "put", "create", "delete")


class BenchError(Exception):
    """The bench cannot go on; the message says where it stopped."""


@dataclass(frozen=True)
class Metrics:
    """One reading of /metrics."""

    text: str

    def sum(self, name: str, **labels: str) -> float:
        """All series of that name that have these labels, added up."""
        total = 0.0
        for found in re.finditer(rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.text, flags=re.MULTILINE):
            if all(f'{label}="{value}"' in (found[1] or "") for label, value in labels.items()):
                total += float(found[2])
        return total

    @property
    def writes(self) -> float:
        """Requests that changed something, without the renewals of the Lease."""
        return sum(self.sum("headgate_api_requests_total", verb=verb) for verb in _WRITING) - self.sum(
            "headgate_api_requests_total", resource="leases", verb="put"
        )

    def quantile(self, name: str, share: float) -> float:
        """The upper edge of the bucket of a histogram that the quantile is in; 0 if it is empty."""
        edges = [(float(edge), float(count)) for edge, count in re.findall(rf'^{name}_bucket\{{le="(.*?)"\}} (\S+)$', self.text, re.M)]
        wanted = share * (edges[-1][1] if edges else 0)
        return next((edge for edge, count in edges if count >= wanted > 0), 0.0)


class Operator:
    """A running operator."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path, session: aiohttp.ClientSession) -> None:
        self._process, self._port, self._log, self._session = process, port, log, session
        self.started = time.monotonic()

    @property
    def megabytes(self) -> float:
        """Resident memory now."""
        return self._kilobytes("VmRSS") / 1024

    @property
    def peak_megabytes(self) -> float:
        """The most it ever had."""
        return self._kilobytes("VmHWM") / 1024

    @property
    def cpu_seconds(self) -> float:
        """Processor time since it started."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    async def metrics(self) -> Metrics:
        """Read /metrics; empty while it does not listen yet."""
        if self._process.returncode is not None:
            raise BenchError(f"the operator ended with exit code {self._process.returncode}; its log is {self._log}")
        try:
            async with self._session.get(f"http://127.0.0.1:{self._port}/metrics") as answer:
                return Metrics(await answer.text())
        except aiohttp.ClientConnectionError:
            return Metrics("")

    async def until(self, what: str, met: Callable[[Metrics], bool], *, seconds: float, every: float = 0.5) -> float:
        """Wait until /metrics says so; return the seconds that took."""
        began = time.monotonic()
        while not met(await self.metrics()):
            if time.monotonic() - began > seconds:
                raise BenchError(f"not within {seconds:.0f} s: {what}; the operator's log is {self._log}")
            await asyncio.sleep(every)
        return time.monotonic() - began

    def _kilobytes(self, field: str) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"^{field}:\s+(\d+) kB", status, flags=re.MULTILINE)
        assert found is not None
        return int(found[1])


@contextlib.asynccontextmanager
async def operator(folder: Path, kubeconfig: Path, proxy: str, namespace: str, *flags: str) -> AsyncIterator[Operator]:
    """Run an operator, with more flags if there are any, for as long as the block lasts."""
    port, log = free_port(), folder / f"operator-{time.monotonic_ns()}.log"
    arguments = {
        "--kubeconfig": str(kubeconfig), "--namespace": namespace, "--lease-namespace": namespace, "--envoy-address": proxy,
        "--envoy-flush": "1s", "--health-address": f"127.0.0.1:{port}", "--log-format": "json",
    }  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HEADGATE_")}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "headgate_operator.controller", *(word for pair in arguments.items() for word in pair), *flags,
                stdout=output, stderr=output, env=environment,
            )  # fmt: skip
        try:
            yield Operator(process, port, log, session)
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()
                await process.wait()
