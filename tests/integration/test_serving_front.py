"""The server's application with its options, asked over ASGI in this process: no socket, all the rest is real."""

import asyncio
import dataclasses
import json
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from headgate_serving.model import ExportedModel, RangePolicy, load_model

V1, V2, EXPLAIN = "/v1/models/m:predict", "/v2/models/m/infer", "/v1/models/m:explain"


@pytest.fixture(scope="module")
def model(small_export: Path) -> ExportedModel:
    sys.argv[1:], kept = [], sys.argv[1:]  # KServe parses them when it is imported
    import headgate_serving.server.front  # noqa: F401

    sys.argv[1:] = kept
    return load_model(small_export)


@pytest.fixture(scope="module")
def instance(model: ExportedModel) -> dict[str, Any]:
    assert model.golden is not None
    return {**{tensor["name"]: tensor["data"][0] for tensor in model.golden["request"]["inputs"]}, "humid": 50.0}


async def elsewhere(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def application(model: ExportedModel, **changes: Any) -> Any:
    """A server's application with these options."""
    from headgate_serving.server.front import Front
    from headgate_serving.server.options import Options
    from headgate_serving.server.service import Service

    options = Options(model_name="m", model_dir=model.folder, **changes)
    return Front(elsewhere, Service("m", model, options), options)


def asking(model: ExportedModel, **changes: Any) -> httpx.AsyncClient:
    """A client of a server with these options."""
    return client_of(application(model, **changes))


def client_of(front: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://m")


def versioned(model: ExportedModel, version: str, **changes: Any) -> ExportedModel:
    """The same model under another version: its metrics are told from those of other tests by it."""
    return dataclasses.replace(model, metadata={**model.metadata, "version": version}, **changes)


def counted(name: str, version: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"headgate_serving_{name}", {"model_name": "m", "model_version": version, **labels}) or 0.0


async def probability(client: httpx.AsyncClient, instance: dict[str, Any]) -> float:
    answer = await client.post(V1, json={"instances": [instance]})
    assert answer.status_code == 200, answer.text
    found: float = answer.json()["predictions"][0]["probability"]
    return found


async def test_what_is_missing_late_or_unknown_is_imputed_as_in_training_and_counted(
    model: ExportedModel, instance: dict[str, Any]
) -> None:
    model = versioned(model, "imputed")
    async with asking(model) as client:
        left_out = {key: value for key, value in instance.items() if key != "humid"}
        found = await probability(client, left_out)
        assert found == await probability(client, {**instance, "humid": None})
        assert found == model.predict({name: [left_out.get(name)] for name in model.features.names})[0]
        await probability(client, {**instance, "dest": "ANC", "colour": "red"})
    for name, reason, expected in (("humid", "missing", 2), ("dest", "unknown", 1), ("dest", "missing", 0)):
        assert counted("imputed_values_total", "imputed", feature=name, reason=reason) == expected
    assert counted("unread_values_total", "imputed") == 1
    assert counted("predictions_total", "imputed") == 3
    assert counted("requests_total", "imputed", protocol="v1", code="200") == 3
    assert counted("request_seconds_count", "imputed", protocol="v1") == 3


async def test_contributions_add_up_to_the_prediction_in_both_protocols(model: ExportedModel, instance: dict[str, Any]) -> None:
    async with asking(model) as client:
        (row,) = (await client.post(EXPLAIN, json={"instances": [instance]})).json()["explanations"]
        margin = row["bias"] + sum(row["contributions"].values())
        assert list(row["contributions"]) == list(model.features.names)
        assert 1 / (1 + np.exp(-margin)) == pytest.approx(row["probability"], abs=1e-6)
        assert row["probability"] == await probability(client, instance)
        body = {**model.golden["request"], "outputs": [{"name": "probability"}, {"name": "contributions"}]}  # type: ignore[index]
        outputs = (await client.post(V2, json=body)).json()["outputs"]
        assert [output["name"] for output in outputs] == ["probability", "contributions"]
        assert outputs[1]["shape"] == [20, 6]
        first = {tensor["name"]: tensor["data"][0] for tensor in body["inputs"]}
        (row,) = (await client.post(EXPLAIN, json={"instances": [first]})).json()["explanations"]
        assert outputs[1]["data"][:6] == [*row["contributions"].values(), row["bias"]]
        assert outputs[1]["parameters"] == {"columns": "carrier,dest,distance,humid,weekday,bias"}
        unknown = await client.post(V2, json={**body, "outputs": [{"name": "shap"}]})
        assert (unknown.status_code, unknown.json()["error"]) == (
            400,
            "there is no output 'shap'; the model has probability and contributions",
        )
        many = await client.post(EXPLAIN, json={"instances": [instance] * 101})
        assert (many.status_code, many.json()["error"][:27]) == (400, "the request has 101 rows; a")


async def test_a_request_id_comes_back_in_the_header_whatever_the_answer(model: ExportedModel, instance: dict[str, Any]) -> None:
    async with asking(model) as client:
        for body, status in (({"instances": [instance]}, 200), ({}, 400)):
            answer = await client.post(V1, json=body, headers={"X-Request-Id": "abc-1"})
            assert (answer.status_code, answer.headers["x-request-id"]) == (status, "abc-1")
        v2 = await client.post(V2, json=model.golden["request"], headers={"X-Request-Id": "abc-2"})  # type: ignore[index]
        assert v2.json()["id"] == v2.headers["x-request-id"] == "abc-2"
        made = await client.post(V1, json={"instances": [instance]})
        assert len(made.headers["x-request-id"]) == 32


async def test_an_id_that_is_no_header_stays_in_the_body(model: ExportedModel) -> None:
    async with asking(model) as client:
        for request_id in ("a\r\nset-cookie: x", "é", "x" * 201):
            answer = await client.post(V2, json={**model.golden["request"], "id": request_id})  # type: ignore[index]
            assert (answer.status_code, answer.json()["id"]) == (200, request_id)
            assert "x-request-id" not in answer.headers


async def test_binary_answers_come_as_wanted_and_nonsense_about_them_is_refused(model: ExportedModel) -> None:
    async with asking(model) as client:
        known = model.golden["outputs"]["probability"]  # type: ignore[index]
        for wanted, status in (({"binary_data": True}, 200), ({"binary_data": 7}, 200), (7, 400), ([], 200)):
            body = {**model.golden["request"], "outputs": [{"name": "probability", "parameters": wanted}]}  # type: ignore[index]
            content = json.dumps(body).encode()
            answer = await client.post(V2, content=content, headers={"inference-header-content-length": str(len(content))})
            assert answer.status_code == status, (wanted, answer.text)
            if "inference-header-content-length" in answer.headers:
                tail = answer.content[int(answer.headers["inference-header-content-length"]) :]
                assert np.frombuffer(tail).tolist() == known


@pytest.mark.parametrize("policy", [RangePolicy.COUNT, RangePolicy.CLIP, RangePolicy.REFUSE])
async def test_the_range_guard_does_what_it_is_told(model: ExportedModel, instance: dict[str, Any], policy: RangePolicy) -> None:
    version = f"guard-{policy}"
    async with asking(versioned(model, version), range_guard=policy) as client:
        answer = await client.post(V1, json={"instances": [{**instance, "distance": 1e6}]})
        if policy is RangePolicy.REFUSE:
            assert answer.status_code == 422
            assert "feature 'distance' is 1e+06 in row 0, outside of what the model was trained on" in answer.json()["error"]
        else:
            assert answer.status_code == 200
    assert counted("out_of_range_values_total", version, feature="distance") == 1


async def test_a_cached_prediction_is_the_same_and_is_not_computed_again(model: ExportedModel, instance: dict[str, Any]) -> None:
    async with asking(versioned(model, "cached"), cache_ttl=60) as client:
        first = await probability(client, instance)
        assert await probability(client, instance) == first
        v2 = await client.post(V2, json={"inputs": [{"name": "input", "shape": [1, 5], "datatype": "FP64", "data": [0] * 5}]})
        assert v2.status_code == 400, "categories have no numbers"
        assert await probability(client, {**instance, "humid": 99.0}) != first
    assert [counted("cache_lookups_total", "cached", result=result) for result in ("hit", "miss")] == [1, 2]
    assert counted("batch_rows_count", "cached") == 2
    assert counted("predictions_total", "cached") == 3


class Stuck:
    """A booster that answers once it may."""

    def __init__(self, booster: Any) -> None:
        self._booster, self.go_on = booster, threading.Event()
        self.go_on.set()

    def inplace_predict(self, *arguments: Any, **settings: Any) -> Any:
        assert self.go_on.wait(60)
        return self._booster.inplace_predict(*arguments, **settings)


async def until_in_time(client: httpx.AsyncClient, instance: dict[str, Any]) -> None:
    """Ask until the model itself answers, which may take some time on a busy machine."""
    async with asyncio.timeout(60):
        while "x-headgate-fallback" in (await client.post(V1, json={"instances": [instance]})).headers:
            pass


async def test_a_late_model_is_replaced_by_the_marked_fallback_and_comes_back(model: ExportedModel, instance: dict[str, Any]) -> None:
    booster = Stuck(model.booster)
    late = versioned(model, "late", booster=booster)
    late.metadata["metrics"] = {"baseRate": 0.24}
    async with asking(late, fallback="prior", time_budget=0.2) as client:
        await until_in_time(client, instance)
        booster.go_on.clear()
        v1 = await client.post(V1, json={"instances": [instance] * 2})
        assert (v1.status_code, v1.headers["x-headgate-fallback"]) == (200, "late")
        assert v1.json() == {"predictions": [{"probability": 0.24}] * 2, "fallback": "late"}
        v2 = (await client.post(V2, json=model.golden["request"])).json()  # type: ignore[index]
        assert (v2["outputs"][0]["data"], v2["parameters"]) == ([0.24] * 20, {"fallback": "late"})
        booster.go_on.set()
        await until_in_time(client, instance)
    assert counted("fallbacks_total", "late", reason="late") >= 2
    assert counted("answers_total", "late") >= 4
    assert counted("predictions_total", "late") >= 2


async def test_a_failing_model_is_replaced_too_and_without_a_fallback_it_is_500(model: ExportedModel, instance: dict[str, Any]) -> None:
    class Broken:
        calls = 0

        def inplace_predict(self, matrix: Any, **_settings: Any) -> Any:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("broken trees")
            return np.zeros(len(matrix))

    async with asking(versioned(model, "failed", booster=Broken()), fallback=0.5) as client:
        answer = await client.post(V1, json={"instances": [instance]})
        assert (answer.status_code, answer.json()["fallback"]) == (200, "failed")
    async with asking(versioned(model, "broken", booster=Broken())) as client:
        answer = await client.post(V1, json={"instances": [instance]})
        assert (answer.status_code, answer.json()) == (500, {"error": "the model server failed to predict; its log has the cause"})
    assert counted("fallbacks_total", "failed", reason="failed") == 1


async def test_more_than_the_bound_at_once_is_refused_with_429_and_when_to_try_again(
    model: ExportedModel, instance: dict[str, Any]
) -> None:
    async with asking(versioned(model, "busy"), max_concurrency=2) as client:
        answers = await asyncio.gather(*(client.post(V1, json={"instances": [instance]}) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert "the server answers 2 requests at this moment, which is its limit" in refused.json()["error"]
        assert (await client.post(V1, json={"instances": [instance]})).status_code == 200
    assert counted("requests_total", "busy", protocol="v1", code="429") == 3


def test_options_that_the_model_cannot_keep_are_refused(model: ExportedModel, tmp_path: Path) -> None:
    from headgate_serving.model import ModelError
    from headgate_serving.server.options import Options
    from headgate_serving.server.service import Service

    with pytest.raises(ModelError, match="the export records no metric baseRate, which is its prior; give --fallback a number"):
        Service("m", model, Options(model_name="m", model_dir=tmp_path, fallback="prior"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(["carrier", "dest", "distance", "humid", "weekday"]) | st.text(max_size=4)
shapes = st.lists(st.integers(-1, 5), max_size=3) | json_values
datatypes = st.sampled_from(["FP64", "FP32", "BYTES", "INT64", "BOOL", "FP16"]) | json_values
tensors = st.fixed_dictionaries(
    {}, optional={"name": names | json_values, "shape": shapes, "datatype": datatypes, "data": json_values, "parameters": json_values}
)
bodies = st.one_of(
    json_values,
    st.fixed_dictionaries({"inputs": st.lists(tensors, max_size=4)}, optional={"id": json_values, "outputs": json_values}),
    st.fixed_dictionaries({"instances": st.lists(st.dictionaries(names, json_values, max_size=5) | json_values, max_size=4)}),
)


@pytest.fixture(scope="module")
def fuzzed(model: ExportedModel) -> Any:
    return application(versioned(model, "fuzzed"))


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from([V1, V2, EXPLAIN]), body=bodies, tail=st.binary(max_size=12), binary=st.integers(-1, 400) | st.none())
def test_no_body_is_ever_the_servers_failure(fuzzed: Any, path: str, body: object, tail: bytes, binary: int | None) -> None:
    async def once() -> httpx.Response:
        content = json.dumps(body).encode() + (tail if binary is not None else b"")
        headers = {} if binary is None else {"inference-header-content-length": str(binary or len(content) - len(tail))}
        async with client_of(fuzzed) as client:
            return await client.post(path, content=content, headers=headers)

    answer = asyncio.run(once())
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert 0 < len(answer.json()["error"]) < 1000
