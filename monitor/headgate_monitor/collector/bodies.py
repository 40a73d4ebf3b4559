"""Bodies of the V1 and V2 protocols: the rows that were asked about, and the numbers that were predicted.

The logger hands on no path and no header that tells the protocol, so the body itself must: `instances` or column form is V1, a list of
tensors is V2. JSON's own parser reads no NaN; some servers write it all the same, and that is just what must not get lost.
"""

import json
from math import inf, nan
from typing import Any, Final

import orjson

from headgate_monitor.collector.errors import MalformedError, shown
from headgate_monitor.collector.events import encodable
from headgate_monitor.collector.tensors import LARGEST_COLUMNS, LARGEST_ROWS, Tail, shape, values
from headgate_monitor.watch.rows import Rows

_TEXTS: Final = ("NaN", "Infinity", "-Infinity")
"""Numbers that JSON has no word for, as some servers write them."""


def read_rows(body: bytes) -> tuple[Rows, str]:
    """Return a request's rows, and the id in its body (empty if it has none).

    Raises:
        MalformedError: it is neither V1 nor V2, or too large.
    """
    content, tail = _content(body)
    id_ = content.get("id")
    inputs = content.get("inputs")
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], dict) and "shape" in inputs[0]:
        rows = _of_tensors(inputs, tail)
    elif "instances" in content:
        rows = _of_instances(content["instances"])
    elif isinstance(inputs, dict):
        rows = _of_columns(inputs)
    else:
        raise MalformedError("body", "a request must have 'instances' (V1) or 'inputs' (V1 columns or V2 tensors)")
    return rows, id_ if isinstance(id_, str) and encodable(id_) else ""


def read_predictions(body: bytes) -> list[float]:
    """Return a response's predictions, one a row: of two classes the second one's, of several outputs the first; NaN for null.

    Raises:
        MalformedError: there are no numbers, or several for each row.
    """
    content, tail = _content(body)
    outputs, predictions = content.get("outputs"), content.get("predictions")
    if isinstance(outputs, list):
        tensor = next((tensor for tensor in outputs if isinstance(tensor, dict) and tensor.get("datatype") != "BYTES"), None)
        if tensor is None:
            raise MalformedError("predictions", "no output holds numbers")
        _, width = shape(tensor)
        found = values(tensor, tail)
        return [_number(found[row]) for row in range(_column(width), len(found), width)]
    if isinstance(predictions, list) and len(predictions) <= LARGEST_ROWS:
        return [_prediction(one) for one in predictions]
    raise MalformedError("predictions", f"a response must have 'predictions' (V1) or 'outputs' (V2) of at most {LARGEST_ROWS} rows")


def _content(body: bytes) -> tuple[dict[str, Any], Tail]:
    content, tail = _parsed(body)
    if not isinstance(content, dict):
        raise MalformedError("body", "a body must be a JSON object")
    return content, Tail(tail)


def _parsed(body: bytes) -> tuple[Any, bytes]:
    try:
        return orjson.loads(body), b""
    except ValueError:
        pass
    try:  # NaN as a number, or tensors behind the JSON, whose length header the logger does not hand on
        content, end = json.JSONDecoder().raw_decode(body.decode("latin-1"))
        return content if body[:end].isascii() else json.loads(body[:end]), body[end:]
    except (ValueError, RecursionError) as error:
        raise MalformedError("json", f"the body is not valid JSON: {error}") from error


def _of_tensors(tensors: list[Any], tail: Tail) -> Rows:
    if len(tensors) > LARGEST_COLUMNS or not all(isinstance(tensor, dict) for tensor in tensors):
        raise MalformedError("size", f"'inputs' must be at most {LARGEST_COLUMNS} tensors")
    shapes = [shape(tensor) for tensor in tensors]
    if len(tensors) == 1 and shapes[0][1] > 1:
        flat, width = values(tensors[0], tail), shapes[0][1]
        return Rows([flat[column::width] for column in range(width)], shapes[0][0])
    if any(columns != 1 for _, columns in shapes) or len({rows for rows, _ in shapes}) != 1:
        raise MalformedError("shape", "several tensors must be columns of one length")
    return Rows({str(tensor.get("name")): values(tensor, tail) for tensor in tensors}, shapes[0][0])


def _of_instances(instances: Any) -> Rows:
    if not isinstance(instances, list) or not 0 < len(instances) <= LARGEST_ROWS:
        raise MalformedError("size", f"'instances' must be an array of 1 to {LARGEST_ROWS} rows")
    first = instances[0]
    if isinstance(first, dict) and all(isinstance(row, dict) for row in instances):
        _check_width(len(first))
        return Rows({name: [row.get(name) for row in instances] for name in first}, len(instances))
    if isinstance(first, list) and all(isinstance(row, list) and len(row) == len(first) for row in instances):
        _check_width(len(first))
        return Rows([list(column) for column in zip(*instances, strict=True)], len(instances))
    raise MalformedError("body", "'instances' must be rows of one kind: objects, or arrays of one length")


def _of_columns(columns: dict[str, Any]) -> Rows:
    _check_width(len(columns))
    lengths = {len(values) if isinstance(values, list) else -1 for values in columns.values()}
    rows = lengths.pop() if len(lengths) == 1 else -1
    if not 0 < rows <= LARGEST_ROWS:
        raise MalformedError("shape", f"the columns of 'inputs' must be arrays of one length from 1 to {LARGEST_ROWS}")
    return Rows(columns, rows)


def _check_width(columns: int) -> None:
    if columns > LARGEST_COLUMNS:
        raise MalformedError("size", f"at most {LARGEST_COLUMNS} columns are read, found {columns}")


def _prediction(one: Any) -> float:
    if isinstance(one, dict):
        one = next((value for value in one.values() if isinstance(value, float | int)), None)
    if isinstance(one, list):
        one = one[_column(len(one))]
    return _number(one)


def _column(width: int) -> int:
    """Which of a row's numbers is the prediction."""
    if width not in (1, 2):
        raise MalformedError("predictions", f"one or two numbers a row are read as predictions, found {width}")
    return width - 1


def _number(value: object) -> float:
    if value is None:
        return nan
    if isinstance(value, str) and value in _TEXTS:
        return float(value)
    if isinstance(value, float | int):
        try:
            return float(value)
        except OverflowError:
            return inf
    raise MalformedError("predictions", f"predictions must be numbers, found {shown(value)}")
