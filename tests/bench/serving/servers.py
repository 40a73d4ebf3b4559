"""The servers that are compared: how each is started on one core, and when it is ready."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, CLIENT_CORE = 0, 1
_READY_WITHIN = 90.0
MLSERVER = ("mlserver==1.7.1", "mlserver-xgboost==1.7.1")


@dataclass(frozen=True)
class Server:
    """A command whose port comes last, and the folder it starts in."""

    name: str
    command: tuple[str, ...]
    folder: Path
    v1: bool = True


@dataclass(frozen=True)
class Running:
    """A ready server."""

    port: int
    pid: int
    start_up: float
    """Seconds from its start until it was ready to predict."""

    @property
    def megabytes(self) -> float:
        """Resident memory of the process and its children."""
        return sum(map(_resident, self._pids)) / 1000

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far: unlike requests a second, other work on the machine hardly changes it."""
        return sum(map(_cpu, self._pids))

    @property
    def _pids(self) -> list[int]:
        return [self.pid, *_children(self.pid)]


def ours(name: str, folder: Path, work: Path, *flags: str) -> Server:
    """Headgate's server; its flags follow the model's folder."""
    command = (
        sys.executable,
        "-m",
        "headgate_serving",
        "--model_name=m",
        f"--model_dir={folder}",
        "--host=127.0.0.1",
        *flags,
        "--http_port={port}",
    )
    return Server(name, command, work)


def plain(model: Path, work: Path) -> Server:
    """KServe's own way."""
    return Server("kserve.Model, DMatrix", (sys.executable, "-m", "tests.bench.serving.plain", str(model), "{port}"), work)


def mlserver(model: Path, work: Path, environment: Path) -> Server | str:
    """MLServer in an environment of its own, made by uv; or one sentence why not."""
    if not (environment / "bin/mlserver").exists() and (why_not := _installed(environment)):
        return f"MLServer was not measured: {why_not}"
    folder = work / "mlserver"
    folder.mkdir(exist_ok=True)
    settings = {"name": "m", "implementation": "mlserver_xgboost.XGBoostModel", "parameters": {"uri": str(model)}}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    # Its workers would need a second core; without them it predicts in its own process, the fastest way on one.
    return Server("MLServer 1.7.1", (str(environment / "bin/mlserver"), "start", str(folder), "{port}"), folder, v1=False)


@contextmanager
def running(server: Server, port: int, log: Path) -> Iterator[Running]:
    """Start it on its core, wait until it is ready, end it."""
    command = [part.format(port=port) for part in server.command]
    if "mlserver" in server.command[0]:
        command = command[:-1]
        server_settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": 0}
        (server.folder / "settings.json").write_text(json.dumps(server_settings))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(["taskset", "-c", str(SERVER_CORE), *command], stdout=output, stderr=output, env=environment)
        try:
            _wait(process, port, log)
            yield Running(port, process.pid, time.perf_counter() - started)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _installed(environment: Path) -> str | None:
    """Make the environment; return why that is not possible."""
    uv = shutil.which("uv") or (".uv/bin/uv" if Path(".uv/bin/uv").exists() else None)
    if uv is None:
        return "uv, which installs it, was not found"
    make = [uv, "venv", "--quiet", "--python", "3.11", str(environment)]
    install = [uv, "pip", "install", "--quiet", "--python", str(environment / "bin/python"), *MLSERVER]
    for command in (make, install):
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            return f"it cannot be installed ({done.stderr.strip().splitlines()[-1]})"
    return None


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.perf_counter() + _READY_WITHIN
    while time.perf_counter() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/m/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"the server did not get ready: {log.read_text()[-500:]}")


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in path.read_text().split()] if path.exists() else []
    return found + [grandchild for child in found for grandchild in _children(child)]


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
