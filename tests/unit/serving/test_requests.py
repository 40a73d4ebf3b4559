import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate_serving.model import (
    Feature,
    FeatureError,
    FeatureKind,
    FeatureSet,
    RequestError,
    columns_from_v1,
    columns_from_v2,
    to_v2_request,
)
from headgate_serving.model.requests import Asked, read_v1, read_v2

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


def test_what_is_left_out_is_missing_and_what_the_model_does_not_read_is_counted() -> None:
    only = {"inputs": [v2()["inputs"][1], {"name": "colour", "shape": [2], "datatype": "BYTES", "data": ["red", 1]}]}
    assert read_v2(only, FEATURES) == Asked({"dest": [None, None], "humid": [1.5, None]}, 2, 2)
    instances = [{"dest": "ATL"}, {"humid": 1.5, "colour": "red"}]
    assert read_v1({"instances": instances}, FEATURES) == Asked({"dest": ["ATL", None], "humid": [None, 1.5]}, 2, 1)


def test_numbers_may_have_any_numeric_type_and_columns_a_second_dimension() -> None:
    body = v2(humid={"datatype": "INT32", "shape": [2, 1], "data": [[1], [2]]}, dest={"shape": [2, 1]})
    assert columns_from_v2(body, FEATURES) == {"dest": ["ATL", None], "humid": [1, 2]}


@pytest.mark.parametrize("data", [[1, 2, 3, 4], [[1, 2], [3, 4]]])
def test_rows_may_come_in_the_order_of_the_features(data: list[Any]) -> None:
    numbers = FeatureSet((Feature("a", FeatureKind.NUMBER), Feature("b", FeatureKind.NUMBER)))
    one = {"inputs": [{"name": "input-0", "shape": [2, 2], "datatype": "FP32", "data": data}]}
    assert read_v2(one, numbers) == read_v1({"instances": [[1, 2], [3, 4]]}, numbers) == Asked({"a": [1, 3], "b": [2, 4]}, 2, 0)
    assert columns_from_v1({"instances": [["ATL", None]]}, FEATURES) == {"dest": ["ATL"], "humid": [None]}


ALL_IN_ONE = {"name": "input-0", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
NUMBERS = FeatureSet((Feature("a", FeatureKind.NUMBER), Feature("b", FeatureKind.NUMBER)))


@pytest.mark.parametrize(
    ("features", "change", "sentence"),
    [
        (FEATURES, {}, "tensor 'input-0' holds all features as numbers, but 'dest' is a category; send one tensor a feature"),
        (NUMBERS, {"datatype": "BYTES"}, "tensor 'input-0' must have a numeric datatype, found 'BYTES'"),
        (NUMBERS, {"data": [1, 2, 3]}, r"tensor 'input-0' has the shape \[1, 2\] and 3 values; the model reads 2 a row"),
        (NUMBERS, {"shape": [2, 1]}, r"has the shape \[2, 1\] and 2 values; the model reads 2 a row"),
        (NUMBERS, {"shape": [2, 2]}, r"has the shape \[2, 2\]; the shape must be \[1, 2\]"),
        (NUMBERS, {"shape": [2, 2], "data": [[1, 2], [3]]}, r"row 1 must be a list of 2 values \(a, b\), found 1 values"),
        (NUMBERS, {"shape": [0, 2], "data": []}, "the request has no rows"),
    ],
)
def test_one_tensor_for_all_must_fit(features: FeatureSet, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_v2({"inputs": [{**ALL_IN_ONE, **change}]}, features)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "must be an object with a list 'inputs' of tensors"),
        ({"inputs": {}}, "must be an object with a list 'inputs' of tensors"),
        ({"inputs": [1]}, "must be an object with a list 'inputs' of tensors"),
        ({"inputs": []}, "no tensor for any of the model's features; it reads dest, humid"),
        ({"inputs": [{"name": "other"}]}, "no tensor for any of the model's features"),
        (v2(more=[{"name": ["dest"]}]), r"a tensor's 'name' must be a string, found \['dest'\]"),
        (v2(more=v2()["inputs"][:1]), "more than one tensor for dest"),
        (v2(humid={"datatype": "BYTES"}), "tensor 'humid' must have a numeric datatype such as FP64, found 'BYTES'"),
        (v2(dest={"datatype": None}), "tensor 'dest' must have the datatype BYTES, found None"),
        (v2(dest={"datatype": ["BYTES"]}), "tensor 'dest' must have the datatype BYTES, found"),
        (v2(humid={"data": 3}), "tensor 'humid' must carry its values as a list in 'data'"),
        (v2(humid={"shape": [3]}), r"tensor 'humid' has the shape \[3\] but 2 values; the shape must be \[2\]"),
        (v2(humid={"shape": [1], "data": [1.0]}), "different lengths: dest 2, humid 1"),
        (v2(dest={"shape": [0], "data": []}, humid={"shape": [0], "data": []}), "the request has no rows"),
        (
            v2(dest={"shape": [4], "data": ["A"] * 4}, humid={"shape": [4], "data": [1] * 4}),
            "has 4 rows; at most 3 are allowed",
        ),
    ],
)
def test_v2_bodies_that_do_not_fit_are_refused_with_a_sentence(body: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_v2(body, FEATURES, max_rows=3)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "must be an object with a list 'instances' of objects"),
        ({"instances": [1]}, "must be an object with a list 'instances' of objects"),
        ({"instances": [{"dest": "A"}, ["A", 1]]}, "must be an object with a list 'instances' of objects"),
        ({"instances": []}, "the request has no rows"),
        ({"instances": [[1]]}, r"instance 0 must be a list of 2 values \(dest, humid\), found 1 values"),
        ({"instances": [{"dest": "A", "humid": 1}, {"x": 1}]}, "instance 1 has none of the model's features; it reads dest, humid"),
        ({"instances": [{}] * 4}, "the request has 4 rows; at most 3 are allowed"),
    ],
)
def test_v1_bodies_that_do_not_fit_are_refused_with_a_sentence(body: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_v1(body, FEATURES, max_rows=3)


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ({"humid": [1.0, "2"]}, "'humid' must hold numbers or null, found '2'"),
        ({"humid": [1.0, True]}, "'humid' must hold numbers or null, found True"),
        ({"humid": [1.0, [2]]}, "'humid' "),
        ({"dest": ["ATL", 2]}, "'dest' must hold strings or null, found 2"),
        ({"dest": ["ATL", {}]}, "'dest' must hold strings or null"),
        ({"dest": ["ATL", "x" * 1000]}, None),
        ({"humid": [1.0, float("inf")]}, "'humid' is infinite or beyond ±3.4e38 in row 1; send null"),
        ({"humid": [1.0, 1e39]}, "'humid' is infinite or beyond ±3.4e38 in row 1"),
        ({"humid": [1.0, 10**400]}, "'humid' cannot be read as numbers"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_with_the_features_name(column: dict[str, Any], sentence: str | None) -> None:
    columns = {"dest": ["ATL", None], "humid": [1.5, None], **column}
    if sentence is None:
        assert FEATURES.encode(columns)[1, 0] == 1, "a category of its own"
        return
    with pytest.raises(FeatureError, match=sentence) as refused:
        FEATURES.encode(columns)
    assert len(str(refused.value)) < 300
