"""Connects the web view with the operator: what each look came to goes onto its board.

An operator that waits for its lease looks at nothing. Its pages show what a list of the ModelDeployments says, read when somebody looks,
at most every quarter of a minute, so that it does not matter which replica a Service chooses.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.stored import read_status
from headgate_operator.controller.resources import MODEL_DEPLOYMENTS
from headgate_operator.controller.settings import Settings, SettingsError, parse_address
from headgate_operator.kube.protocol import ApiError, KubeApi, Object
from headgate_operator.pages.deployment import Told
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.observed import Observed
from headgate_operator.web.access import AccessSettings, TokenError, read_token
from headgate_operator.web.board import Board, Key
from headgate_operator.web.server import PortError, WebServer, WebSettings

LIST_SECONDS: Final = 15.0
"""How old a list of an operator that waits may be."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class WebView:
    """The pages of one operator process."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        assert settings.web is not None
        self.board = Board()
        self._settings = settings
        self._web = settings.web
        self._server = WebServer(self._web, self.board, self)
        self._clock = clock
        self._api: KubeApi | None = None
        self._listing = asyncio.Lock()
        self._listed_at: float | None = None
        self._trouble = ""
        self._leads = False

    async def start(self, api: KubeApi) -> str:
        """Listen, and return the address; SettingsError if that cannot be used."""
        self._api = api
        try:
            port = await self._server.start()
        except PortError as error:
            raise SettingsError(f"--ui-address {error}; choose a free port") from None
        return f"{self._web.host}:{port}"

    async def stop(self) -> None:
        """Close the port."""
        await self._server.stop()

    def leads(self) -> None:
        """Begin anew with what our own looks see."""
        self._leads = True
        self.board.keep_only(())

    def saw(self, key: Key, observed: Observed, decision: Decision) -> None:
        """Take over what a look came to."""
        now = observed.now
        told = [
            Told(at=now, reason=str(note.reason), message=note.message, warning=note.warning, revision=note.revision)
            for note in decision.notes
        ]
        self.board.saw(key, decision.status, at=now, steps=_steps(observed.spec), owner=observed.spec.owner, told=told)

    def failed(self, key: Key, why: str) -> None:
        """Take note of a look that failed."""
        self.board.failed(key, why)

    def forget(self, key: Key) -> None:
        """Drop an object that is gone, or another shard's."""
        self.board.forget(key)

    @property
    def banner(self) -> str:
        """What a reader must know."""
        if self._leads:
            return ""
        waits = "This operator waits for its Lease and looks at nothing itself: statuses are some seconds old, Events and most of the past"
        return f"{waits} are with the one that leads." + (f" {self._trouble}" if self._trouble else "")

    async def refresh(self) -> None:
        """List what there is, unless our own looks see it or the last list is young enough."""
        if self._leads or self._is_young():
            return
        async with self._listing:
            if not (self._leads or self._is_young()):
                await self._list()

    def _is_young(self) -> bool:
        return self._listed_at is not None and self._clock() - self._listed_at < LIST_SECONDS

    async def _list(self) -> None:
        """Read all statuses, a page of the list at a time; what cannot be read stays as it was."""
        assert self._api is not None
        found: set[Key] = set()

        def see(obj: Object) -> None:
            if not self._leads and self._settings.shard.has(obj["metadata"].get("labels")):
                found.add(self._read(obj))

        try:
            for namespace in self._settings.namespaces or (None,):
                await self._api.each(MODEL_DEPLOYMENTS, namespace, see)
        except ApiError as error:
            self._trouble = f"They could not be read just now: {error}"
        else:
            self._trouble = ""
            if not self._leads:  # it may have become the leader meanwhile
                self.board.keep_only(found)
        self._listed_at = self._clock()

    def _read(self, obj: Object) -> Key:
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        status, _ = read_status(obj.get("status"))
        try:
            spec = ModelDeploymentSpec.model_validate(obj.get("spec"))
        except ValidationError:
            steps, owner = 0, None
        else:
            steps, owner = _steps(spec), spec.owner
        self.board.saw(key, status, at=datetime.now(UTC), steps=steps, owner=owner)
        return key


def _steps(spec: ModelDeploymentSpec) -> int:
    return sum(step.weight is not None for step in spec.rollout.steps)


def web_settings(*, wanted: bool, address: str, token_file: Path | None, proxy_header: str | None) -> WebSettings | None:
    """Read the options of the web view; the token must be there now, so that a wrong path shows at the start."""
    if not wanted:
        return None
    listen = parse_address(address, flag="--ui-address", example="127.0.0.1:8081")
    if token_file is None and proxy_header is None:
        raise SettingsError(
            "--ui needs --ui-token-file, a file with a token of 16 bytes or more (openssl rand -hex 32), or --ui-proxy-header"
        )
    if proxy_header is not None and listen.host not in _LOOPBACK:
        raise SettingsError(
            f"--ui-proxy-header {proxy_header} with --ui-address {address}: anybody who reaches that address could send the header; "
            "listen on 127.0.0.1 with the proxy in the same pod, or let the proxy send the token as a bearer token"
        )
    try:
        if token_file is not None:
            read_token(token_file)
    except TokenError as error:
        raise SettingsError(f"--ui-token-file {error}") from None
    return WebSettings(
        host=listen.host, port=listen.port, access=AccessSettings(token_file=token_file, proxy_header=proxy_header)
    )  # fmt: skip
