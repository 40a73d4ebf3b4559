"""How the operator proves who it is: a secret in a file, sent to one address only.

A manifest could name its author's own server to be sent the operator's token. So a token belongs to an address that the operator was
started with, and goes nowhere else.
"""

import base64
from collections.abc import Mapping
from pathlib import Path

from yarl import URL


def same_server(one: str, other: str) -> bool:
    """Whether two addresses name the same server, and the same place on it."""
    left, right = URL(one), URL(other)
    return left.origin() == right.origin() and left.path.rstrip("/") == right.path.rstrip("/")


def authorization(file: Path) -> Mapping[str, str]:
    """Return the header for a file that holds a bearer token, or `user:password` (a token has no colon).

    Read before every request, so that a rotated secret is used. OSError or ValueError if the file cannot be read.
    """
    secret = file.read_text(encoding="utf-8").strip()
    basic = ":" in secret
    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}" if basic else f"Bearer {secret}"}
