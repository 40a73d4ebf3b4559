"""Refuse releases in the lock whose licence forbids production use. Run by `make lint`."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

FIRST_FORBIDDEN = (0, 11, 5)
"""alibi-detect 0.11.5 and later are under the Business Source License 1.1; 0.11.4 is the last under Apache-2.0."""


def forbidden(lock: dict[str, Any]) -> list[str]:
    """Return a sentence for every locked package that must not be there."""
    return [
        f"alibi-detect {package['version']} is locked: from 0.11.5 on its licence (BSL 1.1) forbids production; keep alibi-detect==0.11.4"
        for package in lock["package"]
        if package["name"] == "alibi-detect" and _release(package["version"]) >= FIRST_FORBIDDEN
    ]


def _release(version: str) -> tuple[int, ...]:
    """Read the leading numbers of a version; a suffix such as rc1 counts as the release it leads to."""
    return tuple(int(match[0]) for part in version.split(".")[:3] if (match := re.match(r"[0-9]+", part)))


if __name__ == "__main__":
    found = forbidden(tomllib.loads(Path("uv.lock").read_text()))
    sys.stdout.write("\n".join(found or ["licences: nothing in the lock forbids production use"]) + "\n")
    sys.exit(bool(found))
