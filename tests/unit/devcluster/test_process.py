"""Child processes end with their supervisor, whatever happens."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError, require_free, writing_to
from tests.waiting import eventually

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def printed(log: Path, text: str) -> None:
    await eventually(lambda: text in log.read_text())


async def test_a_child_that_ends_when_asked_is_not_killed(tmp_path: Path) -> None:
    child = await process.start("sleeper", python("import time; time.sleep(60)"), log=tmp_path / "log")
    assert await child.stop(60) == -signal.SIGTERM
    assert not child.running


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = await process.start("stubborn", python(STUBBORN), log=tmp_path / "log")
    await printed(child.log, "deaf")
    assert await child.stop(0.1) == -signal.SIGKILL


async def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    grandchild = f"p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])"
    code = f"import subprocess, sys, time; {grandchild}; print(p.pid, flush=True); time.sleep(60)"
    child = await process.start("parent", python(code), log=tmp_path / "log")
    await printed(child.log, "deaf")
    pid = int(child.log.read_text().split()[0])
    await child.stop(5)
    await gone(pid)


async def test_a_child_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from headgate_devcluster import process
async def main():
    child = await process.start("orphan", [sys.executable, "-c", "import time; time.sleep(60)"], log=Path({str(tmp_path / "log")!r}))
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
    supervisor = await asyncio.create_subprocess_exec(*python(code), stdout=subprocess.PIPE)
    assert supervisor.stdout
    orphan = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()
    await gone(orphan)


async def test_a_program_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="thing cannot be started: /no/such/program: No such file or directory"):
        await process.start("thing", ["/no/such/program"], log=tmp_path / "log")


def test_a_full_disk_is_one_sentence_that_names_the_folder() -> None:
    def write() -> None:
        with writing_to(Path("/build")):
            Path("/dev/full").write_text("x")

    with pytest.raises(ClusterError, match="no space is left on the disk that holds /build; free some space"):
        write()


def test_a_busy_port_is_one_sentence_and_port_zero_never_is() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        with pytest.raises(ClusterError, match="cannot be used for the API server: Address already in use; choose another one"):
            require_free(busy.getsockname()[1], "API server")
    require_free(0, "API server")


async def gone(pid: int) -> None:
    await eventually(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie that nobody reaps (its parent was killed, and this machine may have no init) is dead enough.
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
