import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate_serving.model import Feature, FeatureKind, FeatureSet, RequestError, columns_from_v1, columns_from_v2, to_v2_request

FEATURES = FeatureSet((Feature("dest", FeatureKind.CATEGORY, ("ATL",)), Feature("humid", FeatureKind.NUMBER)))
dests = st.none() | st.text(max_size=8)
humids = st.none() | st.floats(-1e30, 1e30, allow_nan=False)


def v2(**changes: Any) -> dict[str, Any]:
    dest = {"name": "dest", "shape": [2], "datatype": "BYTES", "data": ["ATL", None]}
    humid = {"name": "humid", "shape": [2], "datatype": "FP64", "data": [1.5, None]}
    return {"inputs": [{**dest, **changes.get("dest", {})}, {**humid, **changes.get("humid", {})}, *changes.get("more", [])]}


@given(st.lists(st.tuples(dests, humids), min_size=1, max_size=20))
def test_columns_survive_a_v2_request_through_json(rows: list[tuple[str | None, float | None]]) -> None:
    columns = {"dest": [row[0] for row in rows], "humid": [row[1] for row in rows]}
    body = json.loads(json.dumps(to_v2_request(columns, FEATURES)))
    assert columns_from_v2(body, FEATURES) == columns
    assert orjson.loads(orjson.dumps(body)) == body


@given(st.lists(st.tuples(dests, humids), min_size=1, max_size=20))
def test_v1_and_v2_read_the_same_columns(rows: list[tuple[str | None, float | None]]) -> None:
    columns = {"dest": [row[0] for row in rows], "humid": [row[1] for row in rows]}
    instances = [{"humid": humid, "dest": dest} for dest, humid in rows]
    assert columns_from_v1({"instances": instances}, FEATURES) == columns_from_v2(to_v2_request(columns, FEATURES), FEATURES)


def test_nan_is_sent_as_null() -> None:
    body = to_v2_request({"dest": ["ATL", float("nan")], "humid": [float("nan"), 3]}, FEATURES)
    assert [tensor["data"] for tensor in body["inputs"]] == [["ATL", None], [None, 3.0]]


def test_tensors_may_come_in_any_order_with_other_members() -> None:
    body = {"id": "7", "parameters": {}, "inputs": list(reversed(v2()["inputs"])), "outputs": [{"name": "probability"}]}
    assert columns_from_v2(body, FEATURES) == {"dest": ["ATL", None], "humid": [1.5, None]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "must be an object with a list 'inputs' of tensors"),
        ({"inputs": {}}, "must be an object with a list 'inputs' of tensors"),
        ({"inputs": [1]}, "must be an object with a list 'inputs' of tensors"),
        ({"inputs": []}, "no tensor for dest, humid; the model reads dest, humid, with null for a missing value"),
        (v2(more=[{"name": "other"}]), "unknown tensor 'other'; the model reads dest, humid"),
        (v2(more=[{"name": ["dest"]}]), r"unknown tensor \['dest'\]"),
        (v2(more=v2()["inputs"][:1]), "more than one tensor for dest"),
        (v2(humid={"datatype": "FP32"}), "tensor 'humid' must have the datatype FP64, found 'FP32'"),
        (v2(dest={"datatype": None}), "tensor 'dest' must have the datatype BYTES, found None"),
        (v2(humid={"data": 3}), "tensor 'humid' must carry its values as a list in 'data'"),
        (v2(humid={"shape": [2, 1]}), r"tensor 'humid' has the shape \[2, 1\] but 2 values; the shape must be \[2\]"),
        (v2(humid={"shape": [1], "data": [1.0]}), "different lengths: dest 2, humid 1"),
        (v2(humid={"data": [1.0, "2"]}), "'humid' must hold numbers or null, found '2'"),
        (v2(humid={"data": [1.0, True]}), "'humid' must hold numbers or null, found True"),
        (v2(dest={"data": ["ATL", 2]}), "'dest' must hold strings or null, found 2"),
        (v2(humid={"data": [1.0, float("nan")]}), "'humid' must hold numbers within ±3.4e38, found NaN; send null"),
        (v2(humid={"data": [1.0, float("inf")]}), "'humid' must hold numbers within ±3.4e38"),
        (v2(humid={"data": [1.0, 1e39]}), "'humid' must hold numbers within ±3.4e38"),
        (v2(humid={"data": [1.0, 10**400]}), "'humid' must hold numbers within ±3.4e38"),
        (v2(dest={"shape": [0], "data": []}, humid={"shape": [0], "data": []}), "the request has no rows"),
        (v2(dest={"shape": [4], "data": ["A"] * 4}), "the request has 4 rows; at most 3 are allowed, send several requests"),
    ],
)
def test_v2_bodies_that_do_not_fit_are_refused_with_a_sentence(body: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        columns_from_v2(body, FEATURES, max_rows=3)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "must be an object with a list 'instances' of objects"),
        ({"instances": [[1, 2]]}, "must be an object with a list 'instances' of objects"),
        ({"instances": []}, "the request has no rows"),
        ({"instances": [{"dest": "A", "humid": 1}, {"dest": "A"}]}, "no value in instance 1 for humid"),
        ({"instances": [{"dest": "A", "humid": 1, "x": 1}]}, "unknown value in instance 0 'x'"),
        ({"instances": [{"dest": "A", "humid": "1"}]}, "'humid' must hold numbers or null, found '1'"),
        ({"instances": [{}] * 4}, "the request has 4 rows; at most 3 are allowed"),
    ],
)
def test_v1_bodies_that_do_not_fit_are_refused_with_a_sentence(body: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        columns_from_v1(body, FEATURES, max_rows=3)
