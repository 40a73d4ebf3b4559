"""`kubectl logs`: what a Pod's server wrote, from the file that the kubelet keeps."""

from collections.abc import Mapping
from pathlib import Path

from headgate_devcluster.apiserver.errors import bad_request

_MOST_BYTES = 1 << 20
"""Of a log, its end: more does not help a reader and would hold up every other request."""


def tail(log: Path, query: Mapping[str, str]) -> bytes:
    """Return the end of a Pod's log; empty if it has not written any.

    Raises:
        Refusal: for options that a double has no use for, and for a number of lines that is none.
    """
    for option in ("follow", "previous"):
        if query.get(option, "").lower() in {"1", "true"}:
            raise bad_request(f"the devcluster has no logs with --{option}; the whole log is in {log}")
    lines = query.get("tailLines", "")
    if lines and not lines.isdigit():
        raise bad_request(f'invalid tailLines: "{lines}" is not a number of lines')
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _MOST_BYTES))
            text = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return b""
    if not lines:
        return text
    kept = text.splitlines(keepends=True)
    return b"".join(kept[max(0, len(kept) - int(lines)) :])
