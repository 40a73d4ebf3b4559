"""Bodies of both protocols, well-formed and not."""

import json
import struct
from math import inf, isnan
from typing import Any

import pytest

from headgate_monitor.collector.bodies import read_predictions, read_rows
from headgate_monitor.collector.errors import MalformedError


def body(content: Any) -> bytes:
    return json.dumps(content).encode()


def columns(content: Any) -> Any:
    return read_rows(body(content))[0].columns


def test_v2_tensors_are_columns_and_the_id_is_read() -> None:
    tensors = [
        {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["AA", "é"]},
        {"name": "humid", "shape": [2, 1], "datatype": "FP64", "data": [[1.5], [None]]},
    ]
    rows, id_ = read_rows(body({"id": "q-7", "inputs": tensors}))
    assert (rows.columns, rows.count, id_) == ({"carrier": ["AA", "é"], "humid": [1.5, None]}, 2, "q-7")


def test_one_wide_tensor_and_v1_rows_are_columns_without_names() -> None:
    tensor = {"name": "input-0", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}
    assert columns({"inputs": [tensor]}) == [[1, 4], [2, 5], [3, 6]]
    assert columns({"instances": [[1, "a"], [2, "b"]]}) == [[1, 2], ["a", "b"]]


def test_v1_objects_and_column_form_have_names() -> None:
    assert columns({"instances": [{"a": 1, "b": 2}, {"a": 3}]}) == {"a": [1, 3], "b": [2, None]}
    assert columns({"inputs": {"a": [1, 2], "b": ["x", "y"]}}) == {"a": [1, 2], "b": ["x", "y"]}


def test_binary_tensors_behind_the_json_are_read() -> None:
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"AA", "é".encode()))
    numbers = struct.pack("<2d", 1.5, -2)
    tensors = [
        {"name": "carrier", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(texts)}},
        {"name": "humid", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": len(numbers)}},
    ]
    rows, _ = read_rows(body({"inputs": tensors}) + texts + numbers)
    assert rows.columns == {"carrier": ["AA", "é"], "humid": [1.5, -2.0]}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"predictions": [0.25, 1]}, [0.25, 1.0]),
        ({"predictions": [[0.75, 0.25]]}, [0.25]),
        ({"predictions": [{"label": "late", "probability": 0.5}]}, [0.5]),
        ({"outputs": [{"name": "label", "shape": [1], "datatype": "BYTES", "data": ["x"]},
                      {"name": "p", "shape": [1, 2], "datatype": "FP64", "data": [0.1, 0.9]}]}, [0.9]),
        ({"predictions": [10**400]}, [inf]),
    ],
)  # fmt: skip
def test_predictions_are_one_number_a_row(content: Any, found: list[float]) -> None:
    assert read_predictions(body(content)) == found


def test_answers_that_are_no_numbers_are_not_lost() -> None:
    assert isnan(read_predictions(b'{"predictions": [NaN]}')[0])
    assert isnan(read_predictions(b'{"predictions": [null]}')[0])
    assert read_predictions(b'{"predictions": [Infinity]}') == [inf]
    assert read_predictions(b'{"predictions": ["Infinity", "-Infinity"]}') == [inf, -inf]
    assert isnan(read_predictions(b'{"predictions": [["NaN"]]}')[0])


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "must have 'instances'"),
        (b'{"instances": []}', "1 to 10000 rows"),
        (b'{"instances": [[1], [1, 2]]}', "rows of one kind"),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', "one length"),
        (b'{"inputs": [{"shape": [2], "data": [1]}]}', "wants 2 values, found 1"),
        (b'{"inputs": [{"shape": [-1], "data": [1]}]}', "shape must be"),
        (b'{"inputs": [{"shape": [99999], "data": [1]}]}', "at most 10000 rows"),
        (b'{"inputs": [{"shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}]}', "0 bytes are left"),
        (b'{"inputs": [{"shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 4}}]}\x09\0\0\0', "inside a value"),
    ],
)
def test_what_is_no_request_is_refused_with_a_sentence(sent: bytes, sentence: str) -> None:
    with pytest.raises(MalformedError, match=sentence.replace("(", r"\(")):
        read_rows(sent)


def test_ten_thousand_features_are_refused() -> None:
    with pytest.raises(MalformedError, match="at most 1000 columns"):
        columns({"instances": [{str(number): 0 for number in range(10_000)}]})
