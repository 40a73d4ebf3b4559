"""Tensors of the V2 protocol: JSON data, or raw little-endian bytes behind the JSON (the binary extension)."""

import struct
from math import prod
from typing import Any, Final

import numpy as np

from headgate_monitor.collector.errors import MalformedError, shown

LARGEST_ROWS: Final = 10_000
LARGEST_COLUMNS: Final = 1_000

_TYPES: Final = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1", "INT16": "<i2", "INT32": "<i4",
    "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip


class Tail:
    """The bytes behind the JSON, taken tensor by tensor."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = memoryview(content), 0

    def take(self, size: Any) -> bytes:
        """Return the next bytes.

        Raises:
            MalformedError: there are fewer.
        """
        if not isinstance(size, int) or not 0 <= size <= len(self._content) - self._at:
            raise MalformedError("tensor", f"binary_data_size is {shown(size)}, {len(self._content) - self._at} bytes are left")
        self._at += size
        return bytes(self._content[self._at - size : self._at])


def shape(tensor: dict[str, Any]) -> tuple[int, int]:
    """Return rows and columns of a tensor with one or two dimensions.

    Raises:
        MalformedError: it has others, or too many rows or columns.
    """
    given = tensor.get("shape")
    if not isinstance(given, list) or not 1 <= len(given) <= 2 or not all(type(size) is int and size >= 0 for size in given):
        raise MalformedError("shape", f"a tensor's shape must be [rows] or [rows, columns], found {shown(given)}")
    rows, columns = given[0], given[1] if len(given) == 2 else 1
    if rows > LARGEST_ROWS or columns > LARGEST_COLUMNS:
        raise MalformedError("size", f"at most {LARGEST_ROWS} rows of {LARGEST_COLUMNS} columns are read, found {rows} of {columns}")
    return rows, columns


def values(tensor: dict[str, Any], tail: Tail) -> list[Any]:
    """Return a tensor's values, row by row.

    Raises:
        MalformedError: they are not as many as its shape says, or of no known type.
    """
    rows, columns = shape(tensor)
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    found = _json_values(tensor.get("data")) if size is None else _binary(tensor, tail.take(size))
    if len(found) != rows * columns:
        raise MalformedError("shape", f"the shape {tensor['shape']} wants {prod((rows, columns))} values, found {len(found)}")
    return found


def _json_values(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise MalformedError("tensor", "a tensor's data must be an array")
    return [value for row in data for value in row] if data and all(isinstance(row, list) for row in data) else data


def _binary(tensor: dict[str, Any], content: bytes) -> list[Any]:
    datatype = tensor.get("datatype")
    if datatype == "BYTES":
        return _strings(content)
    if not isinstance(datatype, str) or datatype not in _TYPES:
        raise MalformedError("tensor", f"binary tensors of datatype {shown(datatype)} are not read")
    kind = np.dtype(_TYPES[datatype])
    if len(content) % kind.itemsize:
        raise MalformedError("tensor", f"{len(content)} bytes are no whole number of {datatype} values")
    found: list[Any] = np.frombuffer(content, kind).tolist()
    return found


def _strings(content: bytes) -> list[Any]:
    found, at = list[Any](), 0
    while at < len(content):
        if at + 4 > len(content):
            raise MalformedError("tensor", "a BYTES tensor ends inside a length")
        (length,) = struct.unpack_from("<I", content, at)
        at += 4 + length
        if at > len(content):
            raise MalformedError("tensor", "a BYTES tensor ends inside a value")
        found.append(content[at - length : at].decode(errors="replace"))
    return found
