"""Reading protobuf: bodies recorded from kubectl, and what is refused."""

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.protobuf import MAGIC
from headgate_devcluster.apiserver.protobuf_kinds import parse_protobuf


def field(number: int, value: bytes | int | str) -> bytes:
    """One field on the wire; everything here is short enough for one byte of length."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value: int) -> bytes:
    told = b""
    while value > 127:
        told, value = told + bytes([value & 127 | 128]), value >> 7
    return told + bytes([value])


def body(api_version: str, kind: str, *fields: bytes) -> bytes:
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, b"".join(fields)) + field(3, "") + field(4, "")


def test_maps_texts_and_flags() -> None:
    metadata = field(1, "c") + field(3, "ml") + field(11, field(1, "team") + field(2, "ops")) + field(7, 0)
    entries = (field(2, field(1, "a") + field(2, "b")), field(2, field(1, "empty") + field(2, "")))
    assert parse_protobuf(body("v1", "ConfigMap", field(1, metadata), *entries, field(4, 1))) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "ml", "labels": {"team": "ops"}},
        "data": {"a": "b", "empty": ""},
        "immutable": True,
    }


def test_bytes_become_base64() -> None:
    secret = parse_protobuf(body("v1", "Secret", field(2, field(1, "key") + field(2, b"\x00\xff"))))
    assert secret["data"] == {"key": "AP8="}


def test_zero_replicas_were_asked_for_and_a_zero_port_was_not() -> None:
    deployment = parse_protobuf(body("apps/v1", "Deployment", field(2, field(1, 0) + field(5, 0) + field(7, 0))))
    assert deployment["spec"] == {"replicas": 0}
    port = field(3, 80) + field(4, field(1, 0) + field(2, 8080)) + field(5, 0)
    named = field(3, 81) + field(4, field(1, 1) + field(3, "http"))
    service = parse_protobuf(body("v1", "Service", field(2, field(1, port) + field(1, named))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": "http"}]


def test_times_and_negative_numbers() -> None:
    token = body("authentication.k8s.io/v1", "TokenRequest", field(2, field(4, (1 << 64) - 5)), field(3, field(2, field(1, 1767225600))))
    read = parse_protobuf(token)
    assert (read["spec"], read["status"]) == ({"expirationSeconds": -5}, {"expirationTimestamp": "2026-01-01T00:00:00Z"})


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        (b"{}", 400, "does not begin with its magic bytes"),
        (MAGIC + b"\x0a\x7f", 400, "it ends in the middle"),
        (MAGIC + b"\xff" * 11, 400, "it ends in the middle"),
        (MAGIC + field(1, 5), 400, "a field has the wrong type"),
        (MAGIC, 415, "does not read a body without a kind of no apiVersion"),
        (
            body("batch/v1", "Job"),
            415,
            r"Job of batch/v1 as protobuf; write the object to a file .* use `kubectl apply -f`",
        ),
        (body("v1", "ConfigMap", field(9, "x")), 415, r"does not read ConfigMap \(field 9\) as protobuf"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(data: bytes, code: int, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence) as caught:
        parse_protobuf(data)
    assert caught.value.code == code
