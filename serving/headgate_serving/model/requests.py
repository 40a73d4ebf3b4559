"""Prediction requests in both of KServe's protocols ↔ columns of raw values.

V2: one tensor a feature, by name, shape [n], BYTES for strings and FP64 for numbers. V1: one object of features a row.
In both, null means missing; a feature that is absent is an error, because it is far more often a mistake.
"""

from collections.abc import Sequence
from typing import Any

from headgate_serving.model.encoding import Columns, as_list, is_missing
from headgate_serving.model.errors import RequestError
from headgate_serving.model.features import Feature, FeatureKind, FeatureSet

MAX_ROWS = 10_000
"""Rows a request may carry: one request must not hold the server for seconds."""

DATATYPES = {FeatureKind.NUMBER: "FP64", FeatureKind.CATEGORY: "BYTES"}
_ALLOWED_TYPES: dict[FeatureKind, frozenset[type]] = {
    FeatureKind.NUMBER: frozenset({float, int, type(None)}),
    FeatureKind.CATEGORY: frozenset({str, type(None)}),
}
_WANTED = {FeatureKind.NUMBER: "numbers or null", FeatureKind.CATEGORY: "strings or null"}


def to_v2_request(columns: Columns, features: FeatureSet) -> dict[str, Any]:
    """The V2 body that asks for predictions of these rows; NaN becomes null."""
    return {"inputs": [_tensor(feature, columns) for feature in features.features]}


def columns_from_v2(body: object, features: FeatureSet, *, max_rows: int = MAX_ROWS) -> Columns:
    """The raw values of a V2 body.

    Raises:
        RequestError: the tensors are not exactly the model's features, or their content does not fit.
    """
    tensors = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise RequestError("the request body must be an object with a list 'inputs' of tensors")
    names = [tensor.get("name") for tensor in tensors]
    _check_names(names, features, "tensor")
    columns = {tensor["name"]: _checked_tensor(tensor, features.by_name[tensor["name"]], max_rows) for tensor in tensors}
    _check_rows({name: len(values) for name, values in columns.items()}, max_rows)
    return columns


def columns_from_v1(body: object, features: FeatureSet, *, max_rows: int = MAX_ROWS) -> Columns:
    """The raw values of a V1 body.

    Raises:
        RequestError: a row does not have exactly the model's features, or their content does not fit.
    """
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list) or not all(isinstance(instance, dict) for instance in instances):
        raise RequestError("the request body must be an object with a list 'instances' of objects, one value a feature")
    _check_rows({"instances": len(instances)}, max_rows)
    wanted = set(features.names)
    for row, instance in enumerate(instances):
        if instance.keys() != wanted:
            _check_names(list(instance), features, f"value in instance {row}")
    columns = {name: [instance[name] for instance in instances] for name in features.names}
    for feature in features.features:
        _check_values(feature, columns[feature.name])
    return columns


def _tensor(feature: Feature, columns: Columns) -> dict[str, Any]:
    values = [None if is_missing(value) else value for value in as_list(columns[feature.name])]
    if feature.kind is FeatureKind.NUMBER:
        values = [None if value is None else float(value) for value in values]
    return {"name": feature.name, "shape": [len(values)], "datatype": DATATYPES[feature.kind], "data": values}


def _check_names(names: Sequence[object], features: FeatureSet, what: str) -> None:
    allowed = f"the model reads {', '.join(features.names)}"
    unknown = [name for name in names if not isinstance(name, str) or name not in features.by_name]
    if unknown:
        raise RequestError(f"unknown {what} {unknown[0]!r}; {allowed}")
    missing = [name for name in features.names if name not in names]
    if missing:
        raise RequestError(f"no {what} for {', '.join(missing)}; {allowed}, with null for a missing value")
    if len(names) != len(features.names):
        twice = next(name for name in features.names if names.count(name) > 1)
        raise RequestError(f"more than one {what} for {twice}")


def _checked_tensor(tensor: dict[str, Any], feature: Feature, max_rows: int) -> list[Any]:
    datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
    if datatype != DATATYPES[feature.kind]:
        raise RequestError(f"tensor '{feature.name}' must have the datatype {DATATYPES[feature.kind]}, found {datatype!r}")
    if not isinstance(data, list):
        raise RequestError(f"tensor '{feature.name}' must carry its values as a list in 'data'")
    if shape != [len(data)]:
        raise RequestError(f"tensor '{feature.name}' has the shape {shape!r} but {len(data)} values; the shape must be [{len(data)}]")
    if len(data) <= max_rows:  # else refused with the rows' bound, before looking at a million values
        _check_values(feature, data)
    return data


def _check_rows(lengths: dict[str, int], max_rows: int) -> None:
    longest = max(lengths.values())
    if longest > max_rows:
        raise RequestError(f"the request has {longest} rows; at most {max_rows} are allowed, send several requests")
    if len(set(lengths.values())) != 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise RequestError(f"the tensors have different lengths: {shown}")
    if longest == 0:
        raise RequestError("the request has no rows")


def _check_values(feature: Feature, values: list[Any]) -> None:
    allowed = _ALLOWED_TYPES[feature.kind]
    if not set(map(type, values)) <= allowed:
        wrong = next(value for value in values if type(value) not in allowed)
        raise RequestError(f"feature '{feature.name}' must hold {_WANTED[feature.kind]}, found {wrong!r}")
    if feature.kind is FeatureKind.NUMBER and not all(value is None or -_LARGEST <= value <= _LARGEST for value in values):
        wrong = next(value for value in values if value is not None and not -_LARGEST <= value <= _LARGEST)
        found = "NaN" if wrong != wrong else "an infinite or larger one"
        raise RequestError(f"feature '{feature.name}' must hold numbers within ±3.4e38, found {found}; send null for a missing value")


_LARGEST = 3.4028234e38  # what the model's float32 matrix can hold; NaN fails both comparisons
