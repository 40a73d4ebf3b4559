"""The real server process, asked over loopback as KServe and its clients would."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from headgate_devcluster.errors import free_port
from tests.servingprocess import V1, V2, Process, listening, row, serving, v2_of


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
    answer = stub.ModelInfer(grpc_request(golden), timeout=60)
    assert (answer.model_name, answer.model_version, answer.id) == ("flight-delay", "1", "mine")
    assert list(answer.outputs[0].contents.fp64_contents) == golden["outputs"]["probability"]
    wanted = [pb.ModelInferRequest.InferRequestedOutputTensor(name="contributions")]
    explained = stub.ModelInfer(grpc_request(golden, outputs=wanted, without="humid"), timeout=60)
    assert [(output.name, list(output.shape)) for output in explained.outputs] == [("probability", [20]), ("contributions", [20, 6])]
    assert stub.ModelReady(pb.ModelReadyRequest(name="flight-delay"), timeout=60).ready
    assert 'protocol="grpc"' in server.client.get("/metrics").text


def test_grpc_requests_that_do_not_fit_are_invalid_arguments_with_a_sentence(stub: GRPCInferenceServiceStub) -> None:
    wrong = pb.ModelInferRequest(model_name="flight-delay")
    wrong.inputs.add(name="humid", shape=[1], datatype="BYTES").contents.bytes_contents.append(b"wet")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(wrong, timeout=60)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tensor 'humid' must have a numeric datatype" in refused.value.details()
    short = pb.ModelInferRequest(model_name="flight-delay", raw_input_contents=[b"123"])
    short.inputs.add(name="humid", shape=[1], datatype="FP64")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(short, timeout=60)
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
