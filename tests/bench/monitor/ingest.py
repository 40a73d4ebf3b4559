"""How many payload events a second the drift monitor takes in: a real process over HTTP, one row an event, requests and responses.

It counts the process's own CPU time, so other work on the machine changes little: what it says is events a second of one core.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

from headgate_monitor.detectors import fit_reference
from tests.bench.report import Report, Table

_PROMISED = 10_000
_FEATURES = 10
_CONNECTIONS = 32
_TICKS = os.sysconf("SC_CLK_TCK")
_KINDS = [f"org.kubeflow.serving.inference.{kind}" for kind in ("request", "response")]


def run(*, quick: bool) -> Report:
    """Send events for a while; return what one core took in, and how memory was."""
    seconds = 6.0 if quick else 60.0
    with tempfile.TemporaryDirectory() as folder:
        row = asyncio.run(_measure(Path(folder), seconds))
    events, cpu, dropped, before, after = row
    rate = (events - dropped) / cpu
    table = Table(
        title="Events taken in, joined, decoded and judged",
        columns=("features", "events", "seconds", "events/s, wall", "CPU s", "events/s of a core", "dropped", "MB before", "MB after"),
        rows=[(_FEATURES, events, seconds, events / seconds, cpu, rate, dropped, before, after)],
        note="one row an event; a client with 32 connections, one event under way on each",
    )
    missed = [] if rate >= _PROMISED else [f"{rate:.0f} events a second of one core, {_PROMISED} are promised"]
    return Report(tables=[table], missed=missed)


async def _measure(folder: Path, seconds: float) -> tuple[int, float, int, float, float]:
    random = np.random.default_rng(0)
    names = [f"x{number}" for number in range(_FEATURES)]
    columns = {name: random.normal(size=10_000).tolist() for name in names}
    fit_reference(columns, range(10_000), dict.fromkeys(names, "number")).write(folder / "reference")
    argv = ["-m", "headgate_monitor", "--address", "127.0.0.1:0", "--state", str(folder / "state")]
    child = await asyncio.create_subprocess_exec(sys.executable, *argv, stderr=asyncio.subprocess.PIPE)
    try:
        assert child.stderr is not None
        while not (found := re.search(rb"listening on (\S+):(\d+)", await child.stderr.readline())):
            pass
        host, port = found[1].decode(), int(found[2])
        await asyncio.to_thread(_ask, host, port, folder / "reference")
        bodies = [_body(names, row) for row in random.normal(size=(1000, _FEATURES)).tolist()]
        await _load(host, port, bodies, 1.0)
        cpu, before = _cpu(child.pid), _megabytes(child.pid)
        events = await _load(host, port, bodies, seconds)
        shown = await asyncio.to_thread(_metrics, host, port)
        dropped = re.search(r'reason="overload",result="dropped"} (\S+)', shown)
        return events, _cpu(child.pid) - cpu, int(float(dropped[1])) if dropped else 0, before, _megabytes(child.pid)
    finally:
        child.terminate()
        await child.communicate()


async def _load(host: str, port: int, bodies: list[tuple[bytes, bytes]], seconds: float) -> int:
    end = time.perf_counter() + seconds
    return sum(await asyncio.gather(*(_connection(host, port, bodies, number, end) for number in range(_CONNECTIONS))))


async def _connection(host: str, port: int, bodies: list[tuple[bytes, bytes]], number: int, end: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    sent = 0
    while time.perf_counter() < end:
        id_ = f"{number}-{end:.3f}-{sent}"
        for kind, body in zip(_KINDS, bodies[sent % len(bodies)], strict=True):
            head = (
                f"POST /v1/events/flights/r1 HTTP/1.1\r\nHost: m\r\nCe-Id: {id_}\r\nCe-Type: {kind}\r\nCe-Specversion: 1.0\r\n"
                f'Ce-Metadata: {{"X-Request-Id":["{id_}"]}}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200"), answer
            sent += 1
    writer.close()
    return sent


def _body(names: list[str], row: list[float]) -> tuple[bytes, bytes]:
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in zip(names, row, strict=True)]
    output = {"name": "probability", "shape": [1], "datatype": "FP64", "data": [0.5 + row[0] / 10]}
    return json.dumps({"inputs": tensors}).encode(), json.dumps({"model_name": "m", "outputs": [output]}).encode()


def _ask(host: str, port: int, reference: Path) -> None:
    question = json.dumps({"stable": {"id": "r1", "reference": f"file://{reference}"}}).encode()
    with urllib.request.urlopen(f"http://{host}:{port}/v1/drift/flights", question, timeout=10) as answer:
        answer.read()


def _metrics(host: str, port: int) -> str:
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _megabytes(pid: int) -> float:
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(resident) / 1000
