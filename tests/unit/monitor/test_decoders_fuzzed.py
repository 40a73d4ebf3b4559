"""Whatever bytes a sender makes up, a decoder returns events, rows and numbers, or raises its own error with one short sentence."""

import base64
import json
import struct
from contextlib import suppress
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_monitor.collector.bodies import read_predictions, read_rows
from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import Event, batched, binary, structured
from headgate_monitor.collector.labels import read_labels
from headgate_monitor.collector.tensors import LARGEST_COLUMNS, LARGEST_ROWS

TYPES = [f"org.kubeflow.serving.inference.{kind}" for kind in ("request", "response")]
DATATYPES = {"BOOL": "?", "UINT8": "u1", "INT16": "<i2", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["NaN", "-Infinity", "1e999"])
names = st.sampled_from(
    ["id", "type", "data", "data_base64", "metadata", "inputs", "instances", "predictions", "outputs", "shape", "datatype", "parameters",
     "binary_data_size", "name"]
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=3), inner, max_size=5)
)
header_values = st.sampled_from(TYPES) | st.binary(max_size=40).map(lambda value: value.decode("utf8", "surrogateescape"))
objects = st.dictionaries(names, anything, max_size=6)


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


@st.composite
def tensors(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """A tensor that is nearly right, and its bytes behind the JSON."""
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=2) | st.lists(st.integers(-1, 20_000), max_size=3))
    datatype = draw(st.sampled_from([*DATATYPES, "BYTES", "FP8"]))
    count = draw(st.just(prod(shape)) | st.integers(0, 8)) % 64
    if datatype == "BYTES":
        raw = b"".join(
            struct.pack("<I", len(text) + draw(st.sampled_from([0, 0, 0, 1, 2**31]))) + text for text in [b"AA", b"\xff"] * count
        )
    else:
        raw = draw(st.binary(min_size=count * 8, max_size=count * 8))[: count * np.dtype(DATATYPES.get(datatype, "<f8")).itemsize]
    tensor = {"name": draw(st.text(max_size=3)), "shape": shape, "datatype": datatype}
    if draw(st.booleans()):
        return tensor | {"parameters": {"binary_data_size": draw(st.just(len(raw)) | st.integers(-1, 99) | scalars)}}, raw
    return tensor | {"data": draw(st.lists(scalars | st.lists(scalars, max_size=2), max_size=8) | anything)}, b""


@st.composite
def tensor_bodies(draw: st.DrawFn) -> bytes:
    drawn = draw(st.lists(tensors(), max_size=3))
    content = {draw(st.sampled_from(["inputs", "outputs"])): [tensor for tensor, _ in drawn], "id": draw(scalars)}
    return encoded(content) + b"".join(raw for _, raw in drawn) + draw(st.binary(max_size=3))


def short_and_single(error: MalformedError) -> None:
    assert error.kind.isalpha()
    assert len(str(error)) < 400
    assert str(error).isprintable()


def read_both(body: bytes) -> None:
    try:
        rows, id_ = read_rows(body)
    except MalformedError as error:
        short_and_single(error)
    else:
        crc32(id_.encode())
        assert rows.count <= LARGEST_ROWS
        columns = rows.columns.values() if isinstance(rows.columns, dict) else rows.columns
        assert {len(column) for column in columns} <= {rows.count}
        assert len(list(columns)) <= LARGEST_COLUMNS
    try:
        predictions = read_predictions(body)
    except MalformedError as error:
        short_and_single(error)
    else:
        assert all(type(one) is float for one in predictions)


def read_events(body: bytes) -> None:
    with suppress(MalformedError):
        sound(structured("m", "r1", body))
    try:
        for event in batched("m", "r1", body):
            if isinstance(event, Event):
                sound(event)
            else:
                short_and_single(event)
    except MalformedError as error:
        short_and_single(error)


def sound(event: Event) -> None:
    """It can be shed by its id, joined, and read."""
    assert 0 < len(event.id) <= 256
    crc32(event.id.encode())
    assert event.parity in (True, False)
    read_both(event.body)


@settings(max_examples=60, deadline=None)
@given(objects | anything, st.binary(max_size=20))
def test_any_json_is_read_or_refused(content: Any, tail: bytes) -> None:
    read_both(encoded(content) + tail)


@settings(max_examples=60, deadline=None)
@given(tensor_bodies())
def test_tensors_in_json_and_behind_it_are_read_or_refused(body: bytes) -> None:
    read_both(body)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    read_both(body)
    read_events(body)


@settings(max_examples=60, deadline=None)
@given(objects, anything | tensor_bodies().map(lambda body: base64.b64encode(body).decode()), st.sampled_from([*TYPES, ""]))
def test_any_structured_event_and_batch_is_read_or_refused(content: dict[str, Any], data: Any, kind: str) -> None:
    for event in (content, content | {"id": "7", "type": kind}, {"id": "7", "type": kind, "data_base64": data, "metadata": content}):
        read_events(encoded(event))
        read_events(encoded([event, content, data]))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["ce-id", "ce-type", "ce-metadata"]), header_values), tensor_bodies())
def test_any_headers_are_an_event_or_refused(headers: dict[str, str], body: bytes) -> None:
    try:
        sound(binary("m", "r1", headers, body))
    except MalformedError as error:
        short_and_single(error)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["id", "row", "value", "time"]), scalars | st.just("2026-01-31T12:00:00Z"))),
    anything,
    st.booleans(),
)
def test_any_labels_are_read_or_refused(labels: list[Any], other: Any, lines: bool) -> None:
    for body in (encoded(labels), encoded({"labels": [*labels, other]}), b"\n".join(map(encoded, labels)), encoded(other)):
        try:
            found = read_labels(body, lines=lines)
        except MalformedError as error:
            short_and_single(error)
            continue
        for one in found:
            if isinstance(one, MalformedError):
                short_and_single(one)
            else:
                assert (one.value in (0, 1), len(one.request.encode()) > 0) == (True, True)


DEEP = 950


@pytest.mark.parametrize("key", ["instances", "inputs", "predictions", "outputs", "shape", "data", "metadata", "id", "type"])
@pytest.mark.parametrize("deep", [b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP], ids=["arrays", "objects"])
def test_deep_nesting_is_read_or_refused_wherever_it_is(key: str, deep: bytes) -> None:
    inside = b'{"id": "7", "type": "%s", "%s": %s}' % (TYPES[0].encode(), key.encode(), deep)
    for body in (
        inside,
        b'{"inputs": [%s], "outputs": [%s], "predictions": [%s]}' % (inside, inside, deep),
        b'{"predictions": [[%s]]}' % deep,
    ):
        read_both(body)
        read_events(body)
        read_events(b"[%s]" % body)
