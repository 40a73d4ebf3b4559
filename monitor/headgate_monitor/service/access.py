"""Who may use the monitor: everybody, or whoever knows a token. It is in a file or in the environment, never in arguments or logs."""

import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_REREAD_SECONDS: Final = 5.0
_SCHEME: Final = "bearer"


class AccessError(Exception):
    """There is no usable token; the message says so in one sentence."""


class Token:
    """A bearer token to compare with.

    Args:
        source: Returns the token as it is now, with spaces around it or not. Read again every few seconds, so that a rotated one is used.
        clock: Seconds.

    Raises:
        AccessError: there is none to begin with.
    """

    def __init__(self, source: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._value, self._read_at = _usable(source), clock()

    def admits(self, authorization: str) -> bool:
        """Whether a request with this Authorization header may pass."""
        self._refresh()
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == _SCHEME and hmac.compare_digest(given.strip().encode(errors="surrogateescape"), self._value)

    def _refresh(self) -> None:
        if (now := self._clock()) - self._read_at < _REREAD_SECONDS:
            return
        self._read_at = now
        try:
            self._value = _usable(self._source)
        except AccessError as error:
            _log.warning("the last token stays in use: %s", error)


def token(file: Path | None, environment: str | None) -> Token | None:
    """Return the token that a file or the environment has; None if neither was given.

    Raises:
        AccessError: both were given, or the token cannot be used.
    """
    if file is not None and environment is not None:
        raise AccessError("there are two tokens: give a file or HEADGATE_MONITOR_TOKEN, not both")
    if file is not None:
        return Token(lambda: file.read_text(encoding="utf-8"))
    return Token(lambda: environment) if environment is not None else None


def _usable(source: Callable[[], str]) -> bytes:
    try:
        value = source().strip()
    except (OSError, ValueError) as error:
        raise AccessError(f"the token file cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    if not value or not value.isascii() or not value.isprintable() or " " in value or ":" in value:
        raise AccessError("a token must be one word of printable ASCII characters without a colon")
    return value.encode()
