"""A JSON API over HTTP, asked the way a step should: with a deadline, few retries, and every refusal as one sentence.

Plain REST, because it needs nothing but an address and a token: the Kubeflow Pipelines client reads a kubeconfig with the installed
kubernetes client and then sends no Authorization header at all.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.auth import AuthBase

from headgate_components.step import StepError

TIMEOUT_SECONDS = 30
ATTEMPTS = 3
PAUSE_SECONDS = 0.5
_PASSING = frozenset({429, 500, 502, 503, 504})
_LONGEST_REASON = 500


class ServerError(StepError):
    """A request that was not answered as wanted; the message is one sentence."""


class NotFoundError(ServerError):
    """What was asked for does not exist (404)."""


class UnreachableError(ServerError):
    """Nobody answered, or only that it is not the time (429, 5xx). It may pass."""


@dataclass(frozen=True)
class Token(AuthBase):
    """A bearer token, or the file it is in, which is read for every request: projected tokens are replaced within the hour."""

    value: str = ""
    file: Path | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Adds the header. Being there at all it also keeps requests from sending what ~/.netrc says."""
        if token := self._read():
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    def _read(self) -> str:
        if self.file is None:
            return self.value
        try:
            return self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ServerError(f"the token file '{self.file}' cannot be read: {reason}") from error


@dataclass(frozen=True, kw_only=True)
class Server:
    """An API at an address.

    What only asks is tried three times; what changes something once, because its answer may be what got lost.
    """

    url: str
    """Such as https://10.0.0.1:443; paths are added to it."""

    token: Token = field(default_factory=Token)
    ca: Path | None = None
    """The certificate authority to trust; the system's by default."""

    timeout: float = TIMEOUT_SECONDS
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask for something.

        Raises:
            NotFoundError: it does not exist.
            ServerError: any other refusal.
        """
        for attempt in range(1, ATTEMPTS):
            try:
                return self._send("GET", path, params=query)
            except UnreachableError:
                self.sleep(PAUSE_SECONDS * attempt)
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any], query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Make something.

        Raises:
            ServerError: it was refused, or nobody knows.
        """
        return self._send("POST", path, params=query, json=body)

    def upload(self, path: str, content: bytes, *, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Send a file as the form field `uploadfile`.

        Raises:
            ServerError: it was refused, or nobody knows.
        """
        return self._send("POST", path, params=query, files={"uploadfile": (name, content, "application/octet-stream")})

    def patch(self, path: str, body: bytes, *, kind: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Change something; `kind` is the media type of the body.

        Raises:
            ServerError: it was refused, or nobody knows.
        """
        return self._send("PATCH", path, params=query, data=body, headers={"Content-Type": kind})

    def delete(self, path: str) -> None:
        """Delete something; what is gone already counts as deleted.

        Raises:
            ServerError: it was refused, or nobody knows.
        """
        with suppress(NotFoundError):
            self._send("DELETE", path)

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        verify = str(self.ca) if self.ca else True
        try:
            answer = requests.request(
                method, self.url.rstrip("/") + path, auth=self.token, timeout=self.timeout, verify=verify, allow_redirects=False, **options
            )
        except requests.Timeout as error:
            raise UnreachableError(f"{self.url} did not answer within {self.timeout:g} s") from error
        except requests.exceptions.SSLError as error:
            raise ServerError(f"the certificate of {self.url} is not trusted; give the CA that signed it") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema) as error:
            raise ServerError(f"'{self.url}' is no address of a server; give one such as https://kubeflow.example.com") from error
        except (requests.RequestException, OSError) as error:
            raise UnreachableError(f"{self.url} cannot be reached: {_cause(error)}") from error
        return self._read(answer)

    def _read(self, answer: requests.Response) -> dict[str, Any]:
        self._refuse(answer)
        if not answer.content:
            return {}
        try:
            content = answer.json()
        except ValueError as error:
            raise ServerError(f"{self.url} answered something that is not JSON; is it the address of an API?") from error
        if not isinstance(content, dict):
            raise ServerError(f"{self.url} answered JSON that is not an object; is it the address of the right API?")
        return content

    def _refuse(self, answer: requests.Response) -> None:
        code = answer.status_code
        if code < 300:
            return
        if code < 400:
            to = answer.headers.get("Location", "elsewhere").partition("?")[0]
            raise ServerError(
                f"{self.url} sends requests to {to} ({code}), which is probably a login page; give a token, or the API's own address"
            )
        reason = _reason(answer)
        if code == 401:
            raise ServerError(f"{self.url} does not accept the token (401): {reason}; give a valid one")
        if code == 403:
            raise ServerError(f"{self.url} does not allow this (403): {reason}")
        kind = NotFoundError if code == 404 else UnreachableError if code in _PASSING else ServerError
        raise kind(f"{self.url} refused ({code}): {reason}")


def _reason(answer: requests.Response) -> str:
    """What the server said, on one line: Kubernetes and Kubeflow Pipelines both have `message`."""
    try:
        content = answer.json()
        said = content.get("message") or content.get("error") if isinstance(content, dict) else None
    except ValueError:
        said = None
    return " ".join(str(said or answer.reason or "no reason given").split())[:_LONGEST_REASON]


def _cause(error: BaseException) -> str:
    """The system's own words at the bottom of a chain of wrapped errors."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        inner = getattr(found, "reason", None) or found.__cause__ or found.__context__
        found = inner if isinstance(inner, BaseException) else None
    return "the connection failed"
