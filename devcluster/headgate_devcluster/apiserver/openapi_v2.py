"""OpenAPI v2 without any schema, which is what kubectl wants before it applies a `kind: List`.

kubectl leaves single objects to a server that checks fields itself, and looks for that in OpenAPI v3. A list it checks on its own, by the
schemas of OpenAPI v2, and gives up where there are none to be had. An empty document has no schema to object by; the server still checks
every object. kubectl reads it as protobuf only: an `openapi.v2.Document` of gnostic, whose field 1 is the version and field 2 its title.
"""

from typing import Final

CONTENT_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""As the real server calls it. kubectl asks for `v2@v1.0`, which is no valid media type, and would refuse to read it."""


def _text(number: int, content: bytes) -> bytes:
    """Return a protobuf field of at most 127 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


DOCUMENT: Final = _text(1, b"2.0") + _text(2, _text(1, b"Headgate devcluster, a test double of Kubernetes") + _text(2, b"v1"))
