"""Prediction requests in both of KServe's protocols ↔ columns of raw values.

V2: one tensor a feature, by name, shape [n] or [n, 1], BYTES for strings and any numeric type for numbers; or all features in one numeric
tensor of shape [n, features]. V1: one object of features a row, or one list of values in the features' order.

Null means missing, and so does a feature that is left out: whoever asks in time is answered with what is there. What the model
does not read is left unread. Only a row without any of the model's features is refused: that is a mistake. Values themselves are judged
where they are encoded.
"""

from dataclasses import dataclass
from typing import Any

from headgate_serving.model.encoding import Columns, as_list, is_missing
from headgate_serving.model.errors import RequestError, shown
from headgate_serving.model.features import Feature, FeatureKind, FeatureSet

MAX_ROWS = 10_000
"""Rows a request may carry: one request must not hold the server for seconds."""

DATATYPES = {FeatureKind.NUMBER: "FP64", FeatureKind.CATEGORY: "BYTES"}
"""What the server says it reads."""

_NUMERIC = frozenset({f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)} | {"FP16", "FP32", "FP64"})
_ALLOWED = {FeatureKind.NUMBER: _NUMERIC, FeatureKind.CATEGORY: frozenset({"BYTES"})}


@dataclass(frozen=True)
class Asked:
    """The rows of a request, one column a feature, and how many values the model does not read."""

    columns: Columns
    rows: int
    unread: int


def to_v2_request(columns: Columns, features: FeatureSet) -> dict[str, Any]:
    """The V2 body that asks for predictions of these rows; NaN becomes null."""
    return {"inputs": [_tensor(feature, columns) for feature in features.features]}


def columns_from_v2(body: object, features: FeatureSet) -> Columns:
    """The raw values of a V2 body; see `read_v2`."""
    return read_v2(body, features).columns


def columns_from_v1(body: object, features: FeatureSet) -> Columns:
    """The raw values of a V1 body; see `read_v1`."""
    return read_v1(body, features).columns


def read_v2(body: object, features: FeatureSet, *, max_rows: int = MAX_ROWS) -> Asked:
    """What a V2 body asks.

    Raises:
        RequestError: the tensors do not fit the model.
    """
    tensors = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise RequestError("the request body must be an object with a list 'inputs' of tensors")
    if len(tensors) == 1 and _holds_all(tensors[0], features):
        return _all_in_one(tensors[0], features, max_rows)
    found: dict[str, list[Any]] = {}
    for tensor in tensors:
        name = tensor.get("name")
        if not isinstance(name, str):
            raise RequestError(f"a tensor's 'name' must be a string, found {shown(name)}")
        feature = features.by_name.get(name)
        if feature is not None:
            if name in found:
                raise RequestError(f"more than one tensor for {name}")
            found[name] = _values(tensor, feature)
    if not found:
        raise RequestError(
            f"no tensor for any of the model's features; it reads {', '.join(features.names)}, with null for a missing value"
        )
    rows = _equal_length(found)
    _check_rows(rows, max_rows)
    if len(found) == len(features.names):
        return Asked(found, rows, (len(tensors) - len(found)) * rows)
    return Asked({name: found.get(name) or [None] * rows for name in features.names}, rows, (len(tensors) - len(found)) * rows)


def read_v1(body: object, features: FeatureSet, *, max_rows: int = MAX_ROWS) -> Asked:
    """What a V1 body asks.

    Raises:
        RequestError: the rows do not fit the model.
    """
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list) or not set(map(type, instances)) <= {dict, list} or len(set(map(type, instances))) > 1:
        raise RequestError("the request body must be an object with a list 'instances' of objects, one value a feature, or of lists")
    _check_rows(len(instances), max_rows)
    if isinstance(instances[0], list):
        return Asked(_by_position(instances, features, "instance"), len(instances), 0)
    unread = 0
    for row, instance in enumerate(instances):
        known = len(instance.keys() & features.by_name.keys())
        unread += len(instance) - known
        if not known:
            raise RequestError(f"instance {row} has none of the model's features; it reads {', '.join(features.names)}, null if missing")
    return Asked({name: [instance.get(name) for instance in instances] for name in features.names}, len(instances), unread)


def _tensor(feature: Feature, columns: Columns) -> dict[str, Any]:
    values = [None if is_missing(value) else value for value in as_list(columns[feature.name])]
    if feature.kind is FeatureKind.NUMBER:
        values = [None if value is None else float(value) for value in values]
    return {"name": feature.name, "shape": [len(values)], "datatype": DATATYPES[feature.kind], "data": values}


def _holds_all(tensor: dict[str, Any], features: FeatureSet) -> bool:
    shape, name = tensor.get("shape"), tensor.get("name")
    return isinstance(shape, list) and len(shape) == 2 and not (isinstance(name, str) and name in features.by_name)


def _all_in_one(tensor: dict[str, Any], features: FeatureSet, max_rows: int) -> Asked:
    name, shape, data = shown(tensor.get("name")), tensor["shape"], _data(tensor)
    category = next((feature.name for feature in features.features if feature.kind is FeatureKind.CATEGORY), None)
    if category is not None:
        raise RequestError(f"tensor {name} holds all features as numbers, but '{category}' is a category; send one tensor a feature")
    if tensor.get("datatype") not in _ALLOWED[FeatureKind.NUMBER]:
        raise RequestError(f"tensor {name} must have a numeric datatype, found {shown(tensor.get('datatype'))}")
    width = len(features.names)
    if not any(isinstance(row, list) for row in data):
        if shape[1] != width or len(data) % width:
            raise RequestError(f"tensor {name} has the shape {shown(shape)} and {len(data)} values; the model reads {width} a row")
        data = [data[start : start + width] for start in range(0, len(data), width)]
    if shape != [len(data), width]:
        raise RequestError(f"tensor {name} has the shape {shown(shape)}; the shape must be [{len(data)}, {width}]")
    _check_rows(len(data), max_rows)
    return Asked(_by_position(data, features, f"tensor {name}, row"), len(data), 0)


def _by_position(rows: list[Any], features: FeatureSet, what: str) -> Columns:
    width = len(features.names)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            found = f"{len(row)} values" if isinstance(row, list) else shown(row)
            raise RequestError(f"{what} {number} must be a list of {width} values ({', '.join(features.names)}), found {found}")
    return dict(zip(features.names, map(list, zip(*rows, strict=True)), strict=True))


def _values(tensor: dict[str, Any], feature: Feature) -> list[Any]:
    datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), _data(tensor)
    if not isinstance(datatype, str) or datatype not in _ALLOWED[feature.kind]:
        wanted = "a numeric datatype such as FP64" if feature.kind is FeatureKind.NUMBER else "the datatype BYTES"
        raise RequestError(f"tensor '{feature.name}' must have {wanted}, found {shown(datatype)}")
    if shape == [len(data), 1]:
        return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in data]
    if shape != [len(data)]:
        raise RequestError(f"tensor '{feature.name}' has the shape {shown(shape)} but {len(data)} values; the shape must be [{len(data)}]")
    return data


def _data(tensor: dict[str, Any]) -> list[Any]:
    data = tensor.get("data")
    if not isinstance(data, list):
        raise RequestError(f"tensor {shown(tensor.get('name'))} must carry its values as a list in 'data'")
    return data


def _equal_length(columns: dict[str, list[Any]]) -> int:
    lengths = set(map(len, columns.values()))
    if len(lengths) != 1:
        shown = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise RequestError(f"the tensors have different lengths: {shown}")
    return lengths.pop()


def _check_rows(rows: int, max_rows: int) -> None:
    if rows > max_rows:
        raise RequestError(f"the request has {rows} rows; at most {max_rows} are allowed, send several requests")
    if rows == 0:
        raise RequestError("the request has no rows")
