"""The real server process, asked over loopback as KServe and its clients would."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import psutil
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

V1, V2 = "/v1/models/flight-delay:predict", "/v2/models/flight-delay/infer"


class Process:
    """A running model server: its client, its log file and its process."""

    def __init__(self, popen: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.popen, self.port, self.log = popen, port, log
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def command(folder: Path, port: int, *flags: str) -> list[str]:
    arguments = ["--model_name=flight-delay", f"--model_dir={folder}", f"--http_port={port}", "--host=127.0.0.1", *flags]
    return [sys.executable, "-m", "headgate_serving", *arguments]


@contextmanager
def serving(folder: Path, log: Path, *flags: str) -> Iterator[Process]:
    port = free_port()
    with log.open("wb") as output, subprocess.Popen(command(folder, port, *flags), stderr=output, stdout=output) as popen:
        process = Process(popen, port, log)
        try:
            wait_until_ready(process)
            yield process
        finally:
            process.client.close()
            popen.kill()


def wait_until_ready(process: Process) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert process.client.get("/v2/models/flight-delay/ready").status_code == 200, "whoever can connect can be answered"
        except httpx.ConnectError:
            assert process.popen.poll() is None, process.log.read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not become ready in 60 s")


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(small_export: Path, grpc_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(small_export, tmp_path_factory.mktemp("log") / "server.log", f"--grpc_port={grpc_port}") as process:
        yield process


@pytest.fixture
def stub(server: Process, grpc_port: int) -> Iterator[GRPCInferenceServiceStub]:
    assert server.popen.poll() is None
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        yield GRPCInferenceServiceStub(channel)


@pytest.fixture(scope="module")
def golden(small_export: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((small_export / "headgate/golden.json").read_text())
    return content


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


def test_v2_answers_the_golden_set_exactly_and_gives_an_id_to_a_request_without(server: Process, golden: dict[str, Any]) -> None:
    answer = server.client.post(V2, json=golden["request"])
    assert answer.status_code == 200
    body = answer.json()
    assert body["outputs"] == [{"name": "probability", "shape": [20], "datatype": "FP64", "data": golden["outputs"]["probability"]}]
    assert body["model_name"] == "flight-delay"
    assert body["model_version"] == "1"
    assert len(body["id"]) == 32
    assert server.client.post(V2, json={**golden["request"], "id": "mine"}).json()["id"] == "mine"


def test_v1_gives_the_same_probabilities(server: Process, golden: dict[str, Any]) -> None:
    answer = server.client.post(V1, json={"instances": [row(golden, number) for number in range(20)]})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [{"probability": probability} for probability in golden["outputs"]["probability"]]}


def test_null_is_a_missing_value_in_every_feature(server: Process, golden: dict[str, Any]) -> None:
    empty = dict.fromkeys(row(golden))
    both = [server.client.post(V2, json=v2_of([empty])).json(), server.client.post(V1, json={"instances": [empty]}).json()]
    assert 0 < both[0]["outputs"][0]["data"][0] < 1
    assert both[1]["predictions"][0]["probability"] == both[0]["outputs"][0]["data"][0]


def test_unknown_category_is_predicted_under_the_policy_other(server: Process, golden: dict[str, Any]) -> None:
    assert server.client.post(V2, json=v2_of([{**row(golden), "dest": "ANC"}])).status_code == 200


def test_many_rows_are_predicted_as_they_are_one_by_one(server: Process, make_columns: Callable[..., Any]) -> None:
    columns = make_columns(400, seed=9)
    rows = [{name: columns[name][number] for name in columns} for number in range(400)]
    together = server.client.post(V2, json=v2_of(rows)).json()["outputs"][0]["data"]
    alone = [server.client.post(V2, json=v2_of([each])).json()["outputs"][0]["data"][0] for each in rows[:25]]
    assert together[:25] == alone


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        (V2, b"{", "the request body is not valid JSON"),
        (V2, b"", "the request body is not valid JSON"),
        (V2, b'{"inputs": [{"name": "dest", "datatype": "FP64", "shape": [1], "data": [NaN]}]}', "the request body is not valid JSON"),
        (V2, b"{}", "must be an object with a list 'inputs' of tensors"),
        (V2, b'{"inputs": []}', "no tensor for any of the model's features; it reads carrier, dest, distance, humid, weekday"),
        (V1, b'{"instances": [{"colour": 1}]}', "instance 0 has none of the model's features"),
        (V1, b'{"instances": 5}', "must be an object with a list 'instances' of objects"),
    ],
)
def test_a_request_that_does_not_fit_is_the_clients_mistake(server: Process, path: str, content: bytes, sentence: str) -> None:
    answer = server.client.post(path, content=content)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_wrong_types_and_ids_are_refused(server: Process, golden: dict[str, Any]) -> None:
    wrong = server.client.post(V2, json=v2_of([{**row(golden), "humid": "wet"}]))
    assert (wrong.status_code, wrong.json()) == (400, {"error": "feature 'humid' must hold numbers or null, found 'wet'"})
    assert server.client.post(V2, json={**golden["request"], "id": 7}).status_code == 400


def test_too_many_rows_and_too_large_bodies_are_refused(server: Process, golden: dict[str, Any]) -> None:
    rows = server.client.post(V2, json=v2_of([row(golden)] * 10_001))
    assert (rows.status_code, rows.json()["error"][:31]) == (400, "the request has 10001 rows; at ")
    assert server.client.post(V2, content=b" " * (17 * 2**20)).status_code == 413
    assert server.client.get("/v2/health/live").status_code == 200


def test_binary_tensors_take_kserves_way_to_the_same_answer(server: Process, golden: dict[str, Any]) -> None:
    chosen = {**row(golden), "humid": 50.0}
    binary = b"".join(_binary(value) for value in chosen.values())
    head = {"inputs": [_head(name, value) for name, value in chosen.items()]}
    content = json.dumps(head).encode()
    headers = {"inference-header-content-length": str(len(content)), "content-type": "application/octet-stream"}
    answer = server.client.post(V2, content=content + binary, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == server.client.post(V2, json=v2_of([chosen])).json()["outputs"][0]["data"]
    broken = {"inputs": [*head["inputs"][:-1], {**head["inputs"][-1], "parameters": {"binary_data_size": 3}}]}
    headers["inference-header-content-length"] = str(len(json.dumps(broken)))
    refused = server.client.post(V2, content=json.dumps(broken).encode() + binary, headers=headers)
    assert refused.status_code == 400
    assert "cannot be decoded" in refused.json()["error"]


def _head(name: str, value: str | float) -> dict[str, Any]:
    datatype = "BYTES" if isinstance(value, str) else "FP64"
    return {"name": name, "shape": [1], "datatype": datatype, "parameters": {"binary_data_size": len(_binary(value))}}


def _binary(value: str | float) -> bytes:
    return len(value).to_bytes(4, "little") + value.encode() if isinstance(value, str) else np.float64(value).tobytes()


def test_it_describes_its_tensors(server: Process) -> None:
    found = server.client.get("/v2/models/flight-delay").json()
    assert {tensor["name"]: tensor["datatype"] for tensor in found["inputs"]} == {
        "carrier": "BYTES",
        "dest": "BYTES",
        "distance": "FP64",
        "humid": "FP64",
        "weekday": "FP64",
    }
    assert found["outputs"] == [
        {"name": "probability", "datatype": "FP64", "shape": [-1]},
        {"name": "contributions", "datatype": "FP64", "shape": [-1, 6]},
    ]


def test_cloud_events_take_kserves_way_in_both_of_their_modes(server: Process, golden: dict[str, Any]) -> None:
    content, known = {"instances": [row(golden)]}, {"predictions": [{"probability": golden["outputs"]["probability"][0]}]}
    about = {"specversion": "1.0", "id": "1", "source": "test", "type": "t"}
    headers = {"content-type": "application/json", **{f"ce-{name}": value for name, value in about.items()}}
    assert server.client.post(V1, json=content, headers=headers).json() == known
    structured = server.client.post(
        V1, json={**about, "time": "2026-01-01T00:00:00Z", "data": content}, headers={"content-type": "application/cloudevents+json"}
    )
    assert structured.json()["data"] == known
    assert server.client.post(V1, json={"instances": [7]}, headers=headers).status_code == 400


def test_the_version_may_be_in_the_path(server: Process, golden: dict[str, Any]) -> None:
    path = V2.replace("/infer", "/versions/{}/infer")
    assert server.client.post(path.format(1), json=golden["request"]).status_code == 200
    assert server.client.post(path.format(2), json=golden["request"]).status_code == 501


def test_another_model_name_is_not_found(server: Process, golden: dict[str, Any]) -> None:
    assert server.client.post("/v2/models/other/infer", json=golden["request"]).status_code == 404


def test_nobody_unloads_the_model_over_http(server: Process, golden: dict[str, Any]) -> None:
    assert server.client.post("/v2/repository/models/flight-delay/unload").status_code == 400
    assert server.client.post(V2, json=golden["request"]).status_code == 200


def test_it_counts_for_prometheus(server: Process, golden: dict[str, Any]) -> None:
    server.client.post(V2, json=golden["request"])
    assert 'request_predict_seconds_count{model_name="flight-delay"}' in server.client.get("/metrics").text


def listening(process: Process) -> set[tuple[str, int]]:
    found = [entry.laddr for entry in psutil.Process(process.popen.pid).connections() if entry.status == psutil.CONN_LISTEN]
    return {(address.ip.removeprefix("::ffff:"), address.port) for address in found}  # gRPC maps IPv4 into IPv6


def test_it_listens_on_loopback_only_and_on_nothing_else(server: Process, grpc_port: int) -> None:
    assert listening(server) == {("127.0.0.1", server.port), ("127.0.0.1", grpc_port)}


def grpc_request(golden: dict[str, Any], *, without: str = "", **changes: Any) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="flight-delay", id="mine", **changes)
    for tensor in golden["request"]["inputs"]:
        if tensor["name"] != without:
            contents = {"fp64_contents": [float("nan") if value is None else value for value in tensor["data"]]}
            if tensor["datatype"] == "BYTES":
                contents = {"bytes_contents": [(value or "").encode() for value in tensor["data"]]}
            request.inputs.add(name=tensor["name"], shape=tensor["shape"], datatype=tensor["datatype"]).contents.MergeFrom(
                pb.InferTensorContents(**contents)
            )
    return request


def test_grpc_gives_the_same_probabilities_and_contributions(
    server: Process, stub: GRPCInferenceServiceStub, golden: dict[str, Any]
) -> None:
    answer = stub.ModelInfer(grpc_request(golden), timeout=10)
    assert (answer.model_name, answer.model_version, answer.id) == ("flight-delay", "1", "mine")
    assert list(answer.outputs[0].contents.fp64_contents) == golden["outputs"]["probability"]
    wanted = [pb.ModelInferRequest.InferRequestedOutputTensor(name="contributions")]
    explained = stub.ModelInfer(grpc_request(golden, outputs=wanted, without="humid"), timeout=10)
    assert [(output.name, list(output.shape)) for output in explained.outputs] == [("probability", [20]), ("contributions", [20, 6])]
    assert stub.ModelReady(pb.ModelReadyRequest(name="flight-delay"), timeout=10).ready
    assert 'protocol="grpc"' in server.client.get("/metrics").text


def test_grpc_requests_that_do_not_fit_are_invalid_arguments_with_a_sentence(stub: GRPCInferenceServiceStub) -> None:
    wrong = pb.ModelInferRequest(model_name="flight-delay")
    wrong.inputs.add(name="humid", shape=[1], datatype="BYTES").contents.bytes_contents.append(b"wet")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(wrong, timeout=10)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tensor 'humid' must have a numeric datatype" in refused.value.details()
    short = pb.ModelInferRequest(model_name="flight-delay", raw_input_contents=[b"123"])
    short.inputs.add(name="humid", shape=[1], datatype="FP64")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(short, timeout=10)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tensor 'humid' cannot be decoded as FP64 of shape [1]" in refused.value.details()


def test_it_computes_on_one_thread_and_logs_nothing_a_request(server: Process, golden: dict[str, Any]) -> None:
    before = server.log.stat().st_size
    for _ in range(20):
        server.client.post(V2, json=golden["request"])
        server.client.post(V2, content=b"{")
        server.client.post("/v2/models/other/infer", json=golden["request"])
        server.client.post(V2.replace("/infer", "/versions/2/infer"), json=golden["request"])
    assert server.log.stat().st_size == before, server.log.read_text()
    assert psutil.Process(server.popen.pid).environ().get("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")) in (None, "1")


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


def test_sigterm_under_load_ends_it_cleanly_within_seconds(small_export: Path, golden: dict[str, Any], tmp_path: Path) -> None:
    with serving(small_export, tmp_path / "server.log") as process:
        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(_ask_until_refused, process.port, golden["request"]) for _ in range(4)]
            while 'request_predict_seconds_count{model_name="flight-delay"} 0.0' in process.client.get("/metrics").text:
                assert process.popen.poll() is None
            start = time.monotonic()
            process.popen.send_signal(signal.SIGTERM)
            assert process.popen.wait(10) == 0, process.log.read_text()
            assert time.monotonic() - start < 5
            answers = [status for client in clients for status in client.result(10)]
        assert set(answers) == {200}
        assert "Traceback" not in process.log.read_text()


def _ask_until_refused(port: int, body: dict[str, Any]) -> list[int]:
    statuses = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        while True:
            try:
                statuses.append(client.post(V2, json=body).status_code)
            except httpx.TransportError:
                return statuses


def refused(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
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
