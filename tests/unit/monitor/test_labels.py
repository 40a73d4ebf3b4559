"""Labels as they are sent: an array, an object or lines, and what is told of those that are none."""

import json
from typing import Any

import pytest

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.labels import Label, read_labels

BODIES = [
    (b'[{"id": "a", "value": 1}]', False, Label("a", 0, 1.0)),
    (b'{"labels": [{"id": "a", "row": 3, "value": false, "time": "1970-01-01T00:00:05Z"}]}', False, Label("a", 3, 0.0, 5.0)),
    (b'\n{"id": "a", "row": 3, "value": 0, "time": 5}\n\n', True, Label("a", 3, 0.0, 5.0)),
]


@pytest.mark.parametrize(("body", "lines", "label"), BODIES)
def test_labels_are_read_as_an_array_an_object_or_lines(body: bytes, lines: bool, label: Label) -> None:
    assert read_labels(body, lines=lines) == [label]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        ({}, "'id' must be"), ({"id": ""}, "'id' must be"), ({"id": "a" * 257}, "'id' must be"), ({"id": 1}, "'id' must be"),
        ({"id": "a", "row": -1}, "'row' must be"), ({"id": "a", "row": 1.0}, "'row' must be"), ({"id": "a", "row": True}, "'row' must be"),
        ({"id": "a"}, "'value' must be"), ({"id": "a", "value": 0.5}, "'value' must be"), ({"id": "a", "value": "1"}, "'value' must be"),
        ({"id": "a", "value": 1, "time": "soon"}, "'time' must be"), ({"id": "a", "value": 1, "time": True}, "'time' must be"),
        ([], "must be an object"), (None, "must be an object"),
    ],
)  # fmt: skip
def test_a_label_that_is_none_is_told_by_its_number_and_the_others_are_taken(one: Any, words: str) -> None:
    good, bad = read_labels(json.dumps([{"id": "a", "value": 1}, one]).encode(), lines=False)
    assert isinstance(good, Label)
    assert isinstance(bad, MalformedError)
    assert str(bad).startswith("label 1: ")
    assert words in str(bad)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"x", "not valid JSON"),
        (b"{}", "the body must be"),
        (b"3", "the body must be"),
        (b"[" + b"1," * 10_000 + b"1]", "at most 10000 labels"),
    ],
)
def test_a_body_that_is_no_list_of_labels_is_refused_whole(body: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read_labels(body, lines=False)
