"""`python -m headgate_devcluster.apiserver`: starting, refusing, stopping."""

import asyncio
import signal
import socket
import sys
from itertools import count
from pathlib import Path

import pytest

from headgate_devcluster.apiclient import ApiClient, ApiError


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "headgate_devcluster.apiserver",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finished(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_it_says_what_it_is_serves_and_stops_on_sigterm(tmp_path: Path) -> None:
    state, kubeconfig = tmp_path / "state", tmp_path / "kubeconfig"
    process = await start("--state", str(state), "--kubeconfig", str(kubeconfig), "--namespace", "ml")
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("headgate: API server double (for development and tests, not Kubernetes) at http://127.0.0.1:")
        async with ApiClient(line.split()[-1]) as api:
            await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
        process.send_signal(signal.SIGTERM)
    finally:
        code, _, err = await finished(process)
    assert (code, err) == (0, "")
    assert '"name":"ml"' in "".join(path.read_text() for path in state.iterdir())
    assert "namespace: ml" in kubeconfig.read_text()


async def test_a_server_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    created: list[str] = []
    process = await start("--state", str(tmp_path))
    assert process.stdout is not None
    async with asyncio.timeout(60), ApiClient((await process.stdout.readline()).decode().split()[-1]) as api:
        with pytest.raises(ApiError):  # noqa: PT012 - it is killed in the middle of it
            for number in count():
                await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{number}"}})
                created.append(f"n{number}")
                if number == 100:
                    process.kill()
    await finished(process)
    process = await start("--state", str(tmp_path))
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60), ApiClient((await process.stdout.readline()).decode().split()[-1]) as api:
            found = {item["metadata"]["name"] for item in await api.list("v1", "namespaces")}
    finally:
        process.terminate()
        await finished(process)
    assert set(created) <= found


@pytest.mark.parametrize("text", ["{}", "nonsense"])
async def test_a_folder_that_holds_no_state_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "snapshot.jsonl").write_text(text)
    code, out, err = await finished(await start("--state", str(tmp_path)))
    assert (code, out) == (1, "")
    assert err.startswith(f"headgate: error: {tmp_path / 'snapshot.jsonl'} is no snapshot of the API server")
    assert len(err.splitlines()) == 1


async def test_a_busy_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = await finished(await start("--port", str(port)))
    assert (code, out) == (1, "")
    assert err == f"headgate: error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
