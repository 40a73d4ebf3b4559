"""The HTTP edge. Collecting copies the body and answers 200 at once; everything else is the worker's."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import ValidationError

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import BATCHED, STRUCTURED, binary
from headgate_monitor.collector.labels import NDJSON, read_labels
from headgate_monitor.collector.ring import Ring
from headgate_monitor.service.access import Token
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.exposition import exposition
from headgate_monitor.service.intake import LARGEST_BODY, REASONS, Intake
from headgate_monitor.service.labelling import receipt, report
from headgate_monitor.service.openapi import openapi
from headgate_monitor.service.truths import LedgerError, UnwantedError
from headgate_monitor.service.windows import windows_json
from headgate_monitor.service.wire import NAME, Question
from headgate_monitor.service.worker import BusyError, Delivery, Unread, Worker

_ANSWER_SECONDS: Final = 2.0
_LABEL_SECONDS: Final = 10.0
_BEHIND: Final = "the monitor is behind with its windows; ask again\n"
_UNKNOWN: Final = "this monitor answers only requests with its token (Authorization: Bearer …)\n"
_AGAIN: Final = "the monitor is busy; send the labels again, repeated ones do no harm\n"

Said = TypeVar("Said")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Edge:
    """The handlers, around one worker and its ring.

    Args:
        engine: What is known; only the worker's thread changes it.
        ring: Where events wait for the worker.
        worker: Answers what takes longer than a look.
        token: Without it nothing but probes is answered; None: everybody may ask.
        open_events: Whether events are taken without the token all the same: KServe's logger has none to send.
        seconds: How long a body may take to come.
    """

    def __init__(
        self, engine: Engine, ring: Ring[Delivery], worker: Worker, *, token: Token | None, open_events: bool, seconds: float
    ) -> None:
        self._engine, self._ring, self._worker = engine, ring, worker
        self._intake = Intake(seconds)
        self._token = token
        self._open = (self.healthz, self.collect) if open_events else (self.healthz,)

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guard()] if self._token else [])
        app.router.add_post("/v1/events/{deployment}/{version}", self.collect)
        app.router.add_post("/v1/drift/{deployment}", self.ask)
        app.router.add_get("/v1/drift/{deployment}", self.look)
        app.router.add_post("/v1/ground-truth/{deployment}", self.label)
        app.router.add_get("/v1/ground-truth/{deployment}", self.truth)
        app.router.add_get("/openapi.json", self.describe)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.healthz)
        return app

    async def collect(self, request: web.Request) -> web.Response:
        """Queue an event; 200 also when it is dropped: the sender can do nothing better than go on."""
        try:
            delivery, id_ = _delivery(request, await self._intake.read(request))
        except MalformedError as error:
            self._engine.reject(error)
            return _refused(str(error))
        except web.HTTPException as refusal:
            self._engine.counts["refused", REASONS[refusal.status]] += 1
            if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return web.Response()
            raise
        if self._ring.put(delivery, id_):
            self._worker.wake()
        return web.Response()

    async def ask(self, request: web.Request) -> web.Response:
        """Answer the operator."""
        name = _name(request)
        try:
            question = Question.model_validate_json(await self._intake.read(request))
        except ValidationError as error:
            first = error.errors()[0]
            return _refused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        try:
            answer = await self._said(lambda engine: engine.ask(name, question), _ANSWER_SECONDS)
        except (TimeoutError, BusyError):
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=_BEHIND)
        return web.Response(text=answer.model_dump_json(by_alias=True), content_type="application/json")

    async def look(self, request: web.Request) -> web.Response:
        """Tell people and plots what finished windows saw."""
        name = _name(request)
        state = self._engine.finished(name)
        if state is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text=f"no operator asked about drift of {name}\n")
        return web.Response(body=windows_json(state), content_type="application/json")

    async def label(self, request: web.Request) -> web.Response:
        """Take labels in, and say what became of them. 503: nothing is known to be taken; the same labels may be sent again."""
        name = _name(request)
        try:
            labels = read_labels(await self._intake.read(request), lines=request.content_type in NDJSON)
            counts, problems = await self._said(lambda engine: engine.label(name, labels), _LABEL_SECONDS)
        except MalformedError as error:
            return _refused(str(error))
        except UnwantedError as error:
            return web.Response(status=HTTPStatus.NOT_FOUND, text=f"{error}\n")
        except (TimeoutError, BusyError, LedgerError) as error:
            text = f"{error}\n" if isinstance(error, LedgerError) else _AGAIN
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text, headers={"Retry-After": "5"})
        return web.json_response(receipt(counts, problems))

    async def truth(self, request: web.Request) -> web.Response:
        """Tell what labels say so far, with all numbers."""
        name = _name(request)
        truths = self._engine.truths.say(name)
        if truths is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text=f"no operator asked for labels of {name}\n")
        return web.json_response(report(truths))

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            assert self._token is not None
            if request.match_info.handler not in self._open and not self._token.admits(request.headers.get("Authorization", "")):
                self._engine.counts["refused", "token"] += 1
                raise web.HTTPUnauthorized(text=_UNKNOWN, headers={"WWW-Authenticate": "Bearer"})
            return await handler(request)

        return guard

    async def _said(self, question: Callable[[Engine], Said], seconds: float) -> Said:
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(self._worker.ask(question))

    async def describe(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Tell programs what can be asked."""
        return web.json_response(openapi())

    async def metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Tell Prometheus."""
        return web.Response(body=exposition(self._engine, self._ring), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Say whether events are still read."""
        if self._worker.running:
            return web.Response(text="ok\n")
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text="the worker ended\n")


def _name(request: web.Request) -> str:
    name = request.match_info["deployment"]
    if not re.fullmatch(NAME, name):
        raise web.HTTPBadRequest(text=f"{name[:80]!r} is no name of a ModelDeployment\n")
    return name


def _refused(sentence: str) -> web.Response:
    return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"{sentence}\n")


def _delivery(request: web.Request, body: bytes) -> tuple[Delivery, str]:
    """Return what is queued, and the id it is shed by: several events in one body have that of the body's beginning."""
    info, headers = request.match_info, request.headers
    if headers.get("content-type", "").startswith("application/cloudevents"):
        kind = request.content_type
        if kind not in (STRUCTURED, BATCHED):
            raise MalformedError("event", f"CloudEvents are read as {STRUCTURED} or {BATCHED}, not as {kind}")
        return Unread(info["deployment"], info["version"], body, kind == BATCHED), body[:200].decode("latin-1")
    event = binary(info["deployment"], info["version"], headers, body)
    return event, event.id
