"""Who may look: whoever knows the token, or whom a proxy beside us let in.

A program sends the token with every request. A person writes it into a form once and gets a cookie that says until when it counts, signed
with the token: nothing is stored here, every replica knows it, and a new token ends all sessions.
"""

import hashlib
import hmac
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

COOKIE: Final = "headgate-ui"
SESSION_SECONDS: Final = 12 * 3600
SHORTEST_TOKEN: Final = 16
_LONGEST_TOKEN: Final = 1024
_LOGINS_A_MINUTE: Final = 20
"""Wrong tokens that are looked at: a guess has to come with a request of its own."""

_log = logging.getLogger(__name__)


class TokenError(ValueError):
    """The token file cannot be used; the message says why."""


def read_token(path: Path) -> bytes:
    """Return the token in a file; TokenError if it cannot be one."""
    try:
        with path.open("rb") as file:
            token = file.read(_LONGEST_TOKEN + 2).strip()
    except OSError as error:
        raise TokenError(f"{path} cannot be read ({error.strerror})") from None
    if not SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN:
        raise TokenError(
            f"{path} has {len(token)} bytes in it, and a token has {SHORTEST_TOKEN} to {_LONGEST_TOKEN}: openssl rand -hex 32 > {path}"
        )
    return token


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """What lets somebody in: at least one of these."""

    token_file: Path | None = None
    proxy_header: str | None = None
    """Name of the header in which a proxy on this machine says who asks."""


class Access:
    """Decides about requests."""

    def __init__(self, settings: AccessSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=_LOGINS_A_MINUTE)
        self._complaint = ""

    @property
    def by_token(self) -> bool:
        """Whether a person can sign in here."""
        return self._settings.token_file is not None

    def admits(self, request: web.Request) -> bool:
        """Whether a request may be answered. The token is read anew every time, so that it can be changed while we run."""
        header = self._settings.proxy_header
        if header is not None and request.headers.get(header, "").strip():
            return True
        token = self._token()
        return token is not None and (self._has_token(request, token) or self._has_session(request, token))

    def sign_in(self, given: str) -> str | None:
        """Return a cookie for the right token, None for any other one."""
        token = self._token()
        if token is not None and _is(given.strip(), token):
            until = str(int(self._clock()) + SESSION_SECONDS)
            return f"{until}.{_signature(until, token)}"
        self._wrong.append(self._clock())
        return None

    @property
    def tired(self) -> bool:
        """Whether there were so many wrong tokens that no more are looked at for a while."""
        return len(self._wrong) == _LOGINS_A_MINUTE and self._clock() - self._wrong[0] < 60

    def _token(self) -> bytes | None:
        if self._settings.token_file is None:
            return None
        try:
            token = read_token(self._settings.token_file)
        except TokenError as error:
            if str(error) != self._complaint:
                _log.error("nobody can sign in to the web view: %s", error)
            self._complaint = str(error)
            return None
        self._complaint = ""
        return token

    def _has_token(self, request: web.Request, token: bytes) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and _is(given.strip(), token)

    def _has_session(self, request: web.Request, token: bytes) -> bool:
        until, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not _is(signature, _signature(until, token).encode()):
            return False
        return int(until) > self._clock()  # we wrote it: the signature is right


def is_from_our_pages(request: web.Request) -> bool:
    """Whether a form was sent by a page of ours: another site must not sign anybody in or out. Programs say neither."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:  # half an IPv6 address
        return False


def _is(given: str, wanted: bytes) -> bool:
    """Compare in a time that says nothing of how much is right."""
    return hmac.compare_digest(_bytes(given), wanted)


def _signature(until: str, token: bytes) -> str:
    return hmac.digest(token, b"headgate web view until " + _bytes(until), hashlib.sha256).hex()


def _bytes(given: str) -> bytes:
    """Return what somebody sent; a header that is no UTF-8 has become lone surrogates by now."""
    return given.encode(errors="surrogatepass")
