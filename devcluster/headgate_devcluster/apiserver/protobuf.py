"""Reading what kubectl sends as protobuf: the built-in kinds that its `create` and `auth` subcommands make.

kubectl speaks protobuf to built-in kinds and gives no choice. The wire format alone does not say what a field is, hence the tables:
number, name and type of each field of `k8s.io/api`. A field that no table knows is refused rather than dropped silently.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headgate_devcluster.apiserver.errors import Refusal, bad_request
from headgate_devcluster.apiserver.objects import Object

MAGIC: Final = b"k8s\0"
Fields = Mapping[int, tuple[str, "Kind"]]


@dataclass(frozen=True)
class Kind:
    """How a field's bytes or number become JSON; `many` for lists, `keyed` for maps from strings."""

    name: str
    fields: Fields | None = None
    many: bool = False
    keyed: bool = False


def message(**fields: tuple[int, Kind]) -> Kind:
    """Return the kind of a message from its fields: name = (number, kind)."""
    return Kind("message", {number: (name, kind) for name, (number, kind) in fields.items()})


def many(kind: Kind) -> Kind:
    """Return the kind of a repeated field."""
    return Kind(kind.name, kind.fields, many=True)


def keyed(kind: Kind) -> Kind:
    """Return the kind of a map from strings."""
    return Kind("message", {1: ("key", STRING), 2: ("value", kind)}, keyed=True)


STRING: Final = Kind("string")
NUMBER: Final = Kind("number")
FLAG: Final = Kind("flag")
COUNT: Final = Kind("count")
SWITCH: Final = Kind("switch")
"""Like NUMBER and FLAG, but zero and false mean that nobody said anything: protobuf writes them all the same."""
BYTES: Final = Kind("bytes")
TIME: Final = Kind("time")
INT_OR_STRING: Final = Kind("int-or-string")


def decode(body: bytes) -> tuple[str, str, bytes]:
    """Return apiVersion, kind and the object's own bytes from the envelope every protobuf body has."""
    if not body.startswith(MAGIC):
        raise bad_request("the body is no protobuf of Kubernetes: it does not begin with its magic bytes")
    api_version, kind, raw = "", "", b""
    for number, value in _read(body[len(MAGIC) :]):
        if number == 1:
            parts = dict(_read(_bytes(value)))
            api_version, kind = _bytes(parts.get(1, b"")).decode(), _bytes(parts.get(2, b"")).decode()
        elif number == 2:
            raw = _bytes(value)
    return api_version, kind, raw


def read_message(data: bytes, fields: Fields, path: str) -> Object:
    """Return the JSON form of a message; 415 for a field that the tables do not know."""
    found: Object = {}
    for number, value in _read(data):
        if number not in fields:
            raise unknown(f"{path} (field {number})")
        name, kind = fields[number]
        told = _value(value, kind, f"{path}.{name}")
        if kind.keyed:
            found.setdefault(name, {})[told.get("key", "")] = told.get("value", "")
        elif kind.many:
            found.setdefault(name, []).append(told)
        elif told not in ("", None):  # protobuf writes empty strings that JSON leaves out
            found[name] = told
    return found


def unknown(what: str) -> Refusal:
    """Return the refusal of what the tables do not know, with a way out."""
    why = f"this double does not read {what} as protobuf; write the object to a file (`kubectl create --dry-run=client -o yaml`)"
    return Refusal(415, "UnsupportedMediaType", f"{why} and use `kubectl apply -f`")


def _value(value: bytes | int, kind: Kind, path: str) -> Any:
    match kind.name:
        case "number":
            number = _number(value)
            return number - (1 << 64) if number >= 1 << 63 else number
        case "flag":
            return bool(value)
        case "count":
            return _number(value) or None
        case "switch":
            return bool(value) or None
        case "string":
            return _bytes(value).decode()
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "time":
            return _time(_bytes(value))
        case "int-or-string":
            parts = dict(_read(_bytes(value)))
            return _bytes(parts.get(3, b"")).decode() if parts.get(1) else parts.get(2, 0)
        case _:
            return read_message(_bytes(value), kind.fields or {}, path)


def _time(data: bytes) -> str | None:
    seconds = dict(_read(data)).get(1)
    return datetime.fromtimestamp(_number(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def _read(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield (field number, bytes or number) of a message."""
    at = 0
    try:
        while at < len(data):
            tag, at = _varint(data, at)
            match tag & 7:
                case 0:
                    value, at = _varint(data, at)
                    yield tag >> 3, value
                case 2:
                    length, at = _varint(data, at)
                    if at + length > len(data):
                        raise IndexError
                    yield tag >> 3, data[at : at + length]
                    at += length
                case _:
                    raise IndexError
    except IndexError:
        raise bad_request("the body is no protobuf of Kubernetes: it ends in the middle, or has a type that its kinds never have") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
        if shift > 63:
            raise IndexError


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise bad_request("the body is no protobuf of Kubernetes: a field has the wrong type")
    return value


def _number(value: bytes | int) -> int:
    if not isinstance(value, int):
        raise bad_request("the body is no protobuf of Kubernetes: a field has the wrong type")
    return value
