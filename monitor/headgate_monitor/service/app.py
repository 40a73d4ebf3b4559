"""The HTTP edge. Collecting copies the body and answers 200 at once; everything else is the worker's."""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

from aiohttp import web
from pydantic import ValidationError

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import BATCHED, STRUCTURED, binary
from headgate_monitor.collector.labels import NDJSON, read_labels
from headgate_monitor.collector.ring import Ring
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.exposition import exposition
from headgate_monitor.service.labelling import receipt, report
from headgate_monitor.service.truths import LedgerError, UnwantedError
from headgate_monitor.service.windows import windows_json
from headgate_monitor.service.wire import Question
from headgate_monitor.service.worker import BusyError, Delivery, Unread, Worker

LARGEST_BODY: Final = 1_000_000  # bytes
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_BODY_SECONDS: Final = 10.0
_SLOW: Final = f"the body did not come within {_BODY_SECONDS:g} s\n"
_ANSWER_SECONDS: Final = 2.0
_LABEL_SECONDS: Final = 10.0
_BEHIND: Final = "the monitor is behind with its windows; ask again\n"
_AGAIN: Final = "the monitor is busy; send the labels again, repeated ones do no harm\n"

Said = TypeVar("Said")


class Edge:
    """The handlers, around one worker and its ring."""

    def __init__(self, engine: Engine, ring: Ring[Delivery], worker: Worker) -> None:
        self._engine, self._ring, self._worker = engine, ring, worker

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post("/v1/events/{deployment}/{version}", self.collect)
        app.router.add_post("/v1/drift/{deployment}", self.ask)
        app.router.add_get("/v1/drift/{deployment}", self.look)
        app.router.add_post("/v1/ground-truth/{deployment}", self.label)
        app.router.add_get("/v1/ground-truth/{deployment}", self.truth)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.healthz)
        return app

    async def collect(self, request: web.Request) -> web.Response:
        """Queue an event; 200 also when it is dropped: the sender can do nothing better than go on."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
            delivery, id_ = _delivery(request, body)
        except MalformedError as error:
            self._engine.reject(error)
            return _refused(str(error))
        except TimeoutError:
            return web.Response(status=HTTPStatus.REQUEST_TIMEOUT, text=_SLOW)
        if self._ring.put(delivery, id_):
            self._worker.wake()
        return web.Response()

    async def ask(self, request: web.Request) -> web.Response:
        """Answer the operator."""
        name = _name(request)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                question = Question.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors()[0]
            return _refused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        except TimeoutError:
            return web.Response(status=HTTPStatus.REQUEST_TIMEOUT, text=_SLOW)
        try:
            answer = await self._said(lambda engine: engine.ask(name, question), _ANSWER_SECONDS)
        except (TimeoutError, BusyError):
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=_BEHIND)
        return web.Response(text=answer.model_dump_json(by_alias=True), content_type="application/json")

    async def look(self, request: web.Request) -> web.Response:
        """Tell people and plots what finished windows saw."""
        name = request.match_info["deployment"]
        state = self._engine.finished(name)
        if state is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text=f"no operator asked about drift of {name[:80]!r}\n")
        return web.Response(body=windows_json(state), content_type="application/json")

    async def label(self, request: web.Request) -> web.Response:
        """Take labels in, and say what became of them. 503: nothing is known to be taken; the same labels may be sent again."""
        name = _name(request)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                labels = read_labels(await request.read(), lines=request.content_type in NDJSON)
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

    async def _said(self, question: Callable[[Engine], Said], seconds: float) -> Said:
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(self._worker.ask(question))

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
    if not _NAME.fullmatch(name):
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
