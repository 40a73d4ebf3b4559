"""`kubectl logs`: what a Pod's server wrote, from the file that the kubelet keeps."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

from headgate_devcluster.apiserver.errors import bad_request

_POLL_SECONDS = 0.2
_MOST_BYTES = 1 << 20
"""Of a log, its end: more does not help a reader and would hold up every other request."""


def follows(query: Mapping[str, str]) -> bool:
    """Say whether the reader wants to go on with what is written from now on."""
    return _is_set(query, "follow")


async def written(log: Path, query: Mapping[str, str], goes_on: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    """Yield the end of a Pod's log, then what is added to it, until it does not go on.

    Raises:
        Refusal: as `tail` does, before anything is yielded.
    """
    at = _size(log)
    yield tail(log, query)
    while goes_on():
        await asyncio.sleep(_POLL_SECONDS)
        if added := _from(log, at):
            at += len(added)
            yield added


def _size(log: Path) -> int:
    return log.stat().st_size if log.is_file() else 0


def _from(log: Path, at: int) -> bytes:
    if _size(log) <= at:
        return b""
    with log.open("rb") as file:
        file.seek(at)
        return file.read(_MOST_BYTES)


def tail(log: Path, query: Mapping[str, str]) -> bytes:
    """Return the end of a Pod's log; empty if it has not written any.

    Raises:
        Refusal: for options that a double has no use for, and for a number of lines that is none.
    """
    if _is_set(query, "previous"):
        raise bad_request(f"the devcluster keeps one log for all runs of a Pod; it is in {log}")
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


def _is_set(query: Mapping[str, str], option: str) -> bool:
    return query.get(option, "").lower() in {"1", "true"}
