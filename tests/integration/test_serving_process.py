"""The model server's process: how it starts, refuses to start, fails and ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from headgate_devcluster.errors import free_port
from tests.servingprocess import V1, V2, command, listening, row, serving, v2_of


@pytest.fixture(scope="module")
def golden(small_export: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((small_export / "headgate/golden.json").read_text())
    return content


def test_unknown_category_is_the_servers_failure_under_the_policy_error(make_export: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_export(tmp_path / "storage", "3", unknown="error")
    known = json.loads((folder / "headgate/golden.json").read_text())
    with serving(folder, tmp_path / "server.log") as process:
        assert process.client.post(V2, json=known["request"]).json()["outputs"][0]["data"] == known["outputs"]["probability"]
        unknown = v2_of([{**row(known), "dest": "ANC"}])
        sentence = "feature 'dest' has the value 'ANC', which is not among the 4 categories the model was trained on"
        for path, body in ((V2, unknown), (V1, {"instances": [{**row(known), "dest": "ANC"}]})):
            answer = process.client.post(path, json=body)
            assert (answer.status_code, answer.json()) == (500, {"error": sentence})
        assert process.log.read_text().count(sentence) == 1
        assert "Traceback" not in process.log.read_text()


AT_ITS_END = "import atexit, gc, sys; atexit.register(lambda: sys.stderr.write(f'{gc.get_freeze_count()} objects are never collected'))"


def test_sigterm_under_load_ends_it_cleanly_within_seconds(small_export: Path, golden: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_ITS_END)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    with serving(small_export, tmp_path / "server.log", environment={"PYTHONPATH": path}) as process:
        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(_ask_until_refused, process.port, golden["request"]) for _ in range(4)]
            while 'request_predict_seconds_count{model_name="flight-delay"} 0.0' in process.client.get("/metrics").text:
                assert process.popen.poll() is None
            start = time.monotonic()
            process.popen.send_signal(signal.SIGTERM)
            assert process.popen.wait(60) == 0, process.log.read_text()
            assert time.monotonic() - start < process.at_once
            answers = [status for client in clients for status in client.result(60)]
        assert set(answers) == {200}
        assert "Traceback" not in process.log.read_text()
        frozen = re.search(r"(\d+) objects are never collected", process.log.read_text())
        assert frozen is not None, "its libraries' objects are not walked through while clients wait"
        assert int(frozen[1]) > 100_000


def _ask_until_refused(port: int, body: dict[str, Any]) -> list[int]:
    statuses = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        while True:
            try:
                statuses.append(client.post(V2, json=body).status_code)
            except httpx.TransportError:
                return statuses


def refused(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


def test_a_changed_model_is_refused_with_one_line(small_export: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_export, tmp_path / "copy"))
    (folder / "model.ubj").write_bytes((folder / "model.ubj").read_bytes()[:-1])
    code, errors = refused(command(folder, free_port()))
    assert code == 1
    assert errors.count("\n") == 1
    assert errors.startswith(f"headgate: error: {folder}/model.ubj was changed after the export")


def test_a_model_that_predicts_otherwise_than_its_golden_set_is_refused_with_the_numbers(
    make_export: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_export(tmp_path / "storage", "4", tamper_base_score=True)
    code, errors = refused(command(folder, free_port()))
    assert code == 1
    assert errors.count("\n") == 1
    assert "the model predicts otherwise than where it was trained: 0." in errors
    with serving(folder, tmp_path / "server.log", "--parity=report") as process:
        assert listening(process) == {("127.0.0.1", process.port)}, "no gRPC unless it is wanted"
        assert "20 of 20 rows differ" in process.log.read_text()
        (line,) = [
            line for line in process.client.get("/metrics").text.splitlines() if line.startswith("headgate_serving_parity_difference{")
        ]
        assert float(line.split()[-1]) > 0.1


def test_a_busy_port_and_an_absent_folder_are_named_in_one_line(small_export: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert refused(command(small_export, port)) == (1, f"headgate: error: cannot listen on 127.0.0.1:{port}: Address already in use\n")
    code, errors = refused(command(tmp_path / "none", free_port()))
    assert (code, errors) == (
        1,
        f"headgate: error: the model folder {tmp_path}/none lacks a readable metadata.json: No such file or directory\n",
    )
