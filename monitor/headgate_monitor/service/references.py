"""Drift references by their storage URI, read once and kept; one that cannot be read is tried again after a while."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from headgate_monitor.detectors.artifact import SCHEMA
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.reference import Reference, read_reference

_RETRY_SECONDS: Final = 30.0
_KEPT: Final = 200


@dataclass(frozen=True, eq=False)
class Found:
    """A reference with its digest, or why there is none. The same object as long as nothing changed."""

    reference: Reference | None
    digest: str = ""
    problem: str = ""


class References:
    """Reads references from folders that are mounted here."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Found, float]] = OrderedDict()

    def find(self, uri: str, at: float) -> Found:
        """Return what is at the URI; a failure stands for half a minute."""
        known = self._known.pop(uri, None)
        if known is None or (known[0].reference is None and at - known[1] >= _RETRY_SECONDS):
            found = _read(uri)
            known = (known[0] if known and known[0].problem == found.problem else found), at
        self._known[uri] = known
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return known[0]


def _read(uri: str) -> Found:
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        return Found(None, problem=f"the drift reference {uri} is no URI: {error}")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return Found(None, problem=f"the drift reference {uri} is not on a volume: the monitor reads file:// URIs alone")
    folder = Path(unquote(parts.path))
    try:
        reference = read_reference(folder)
        digest = hashlib.sha256((folder / SCHEMA).read_bytes()).hexdigest()
    except (DriftError, OSError, ValueError) as error:
        return Found(None, problem=str(error))
    return Found(reference, f"sha256:{digest}")
