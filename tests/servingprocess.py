"""The real model server as a process, asked over loopback as KServe and its clients would."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from headgate_devcluster.errors import free_port
from headgate_devcluster.process import die_with

V1, V2 = "/v1/models/flight-delay:predict", "/v2/models/flight-delay/infer"


class Process:
    """A running model server: its client, its log file and its process."""

    def __init__(self, popen: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.popen, self.port, self.log = popen, port, log
        self.at_once = 5.0
        """How many seconds are "at once" on this machine: not more than 5, or than the start took where even that takes longer."""
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)


def command(folder: Path, port: int, *flags: str) -> list[str]:
    arguments = ["--model_name=flight-delay", f"--model_dir={folder}", f"--http_port={port}", "--host=127.0.0.1", *flags]
    return [sys.executable, "-m", "headgate_serving", *arguments]


@contextmanager
def serving(folder: Path, log: Path, *flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Process]:
    port, env = free_port(), {**os.environ, **(environment or {})}
    with (
        log.open("wb") as output,
        subprocess.Popen(command(folder, port, *flags), stderr=output, stdout=output, env=env, preexec_fn=die_with(os.getpid())) as popen,
    ):
        process = Process(popen, port, log)
        try:
            wait_until_ready(process)
            yield process
        finally:
            process.client.close()
            popen.kill()


def wait_until_ready(process: Process) -> None:
    began = time.monotonic()
    while time.monotonic() < began + 120:
        try:
            assert process.client.get("/v2/models/flight-delay/ready").status_code == 200, "whoever can connect can be answered"
        except httpx.ConnectError:
            assert process.popen.poll() is None, process.log.read_text()
            time.sleep(0.05)
        else:
            process.at_once = max(process.at_once, time.monotonic() - began)
            return
    raise AssertionError("the server did not become ready in 120 s")


def listening(process: Process) -> set[tuple[str, int]]:
    found = [entry.laddr for entry in psutil.Process(process.popen.pid).connections() if entry.status == psutil.CONN_LISTEN]
    return {(address.ip.removeprefix("::ffff:"), address.port) for address in found}  # gRPC maps IPv4 into IPv6


def row(golden: dict[str, Any], number: int = 0) -> dict[str, Any]:
    return {tensor["name"]: tensor["data"][number] for tensor in golden["request"]["inputs"]}


def v2_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    datatypes = {"carrier": "BYTES", "dest": "BYTES"}
    return {
        "inputs": [
            {"name": name, "shape": [len(rows)], "datatype": datatypes.get(name, "FP64"), "data": [each[name] for each in rows]}
            for name in rows[0]
        ]
    }
