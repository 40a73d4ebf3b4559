"""Predictions and explanations of our model, in front of KServe's application.

KServe validates every value of a V2 body with pydantic and times, logs and decodes each request on its way; that is most of a
small request's time. What is not a question to our model (health, metadata, metrics, CloudEvents) takes KServe's way.
"""

import asyncio
import logging
from dataclasses import dataclass

import orjson
from kserve import InferRequest
from kserve.errors import InvalidInput
from starlette.types import ASGIApp, Receive, Scope, Send

from headgate_serving.model import FeatureError, OutOfRangeError, RequestError, UnknownCategoryError
from headgate_serving.server.http import JSON, BodyTooLargeError, Headers, read_body, replayed, send_bytes, send_json
from headgate_serving.server.model import body_of, response_of
from headgate_serving.server.options import Options
from headgate_serving.server.service import Protocol, Question, Reply, Service

FALLBACK_HEADER = b"x-headgate-fallback"
REQUEST_ID_HEADER = b"x-request-id"
_BINARY_HEADER = b"inference-header-content-length"
_KSERVES_HEADERS = {b"ce-specversion", b"content-encoding"}
_CLOUD_EVENT = b"application/cloudevents+json"
_CLOSE = (b"connection", b"close")
_LONGEST_ID = 200
_REMEMBERED_ERRORS = 100

_log = logging.getLogger("headgate.serving")


@dataclass(frozen=True)
class Route:
    """What a path asks for."""

    protocol: Protocol
    explain: bool = False


@dataclass(frozen=True)
class Refusal:
    """An answer that is no prediction."""

    status: int
    sentence: str
    headers: Headers = ()


@dataclass(frozen=True)
class Encoded:
    """An answer's bytes, and the headers that say what they are."""

    body: bytes
    headers: Headers


class Front:
    """ASGI application: questions to our model itself, the rest by `application`."""

    def __init__(self, application: ASGIApp, service: Service, options: Options) -> None:
        self._application, self._service, self._options = application, service, options
        self._routes = {
            f"/v1/models/{service.name}:predict": Route(Protocol.V1),
            f"/v1/models/{service.name}:explain": Route(Protocol.V1, explain=True),
            f"/v2/models/{service.name}/infer": Route(Protocol.V2),
            f"/v2/models/{service.name}/versions/{service.model.version}/infer": Route(Protocol.V2),
        }
        self._under_way = 0
        service.meter.under_way.set_function(lambda: self._under_way)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._application(scope, receive, send)
            return
        route = self._routes.get(scope["path"])
        if route is not None and self._under_way >= self._options.max_concurrency:
            await self._busy(route, send)
            return
        self._under_way += 1
        try:
            await self._with_body(route, scope, receive, send)
        finally:
            self._under_way -= 1

    async def _with_body(self, route: Route | None, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = asyncio.get_running_loop().time()
        headers = dict(scope["headers"])
        try:
            body = await read_body(receive, self._options.max_body)
        except BodyTooLargeError as error:
            # The rest of the body is still on its way: the connection cannot carry another request.
            await send_json(send, 413, {"error": str(error)}, (_CLOSE,))
            self._count(route, 413, arrived)
            return
        if body is None:
            return
        if route is None or not _KSERVES_HEADERS.isdisjoint(headers) or headers.get(b"content-type") == _CLOUD_EVENT:
            await self._application(scope, replayed(body, receive), send)
            return
        answered = await self._answer(route, body, headers, arrived, send)
        self._count(route, answered, arrived)

    async def _answer(self, route: Route, body: bytes, headers: dict[bytes, bytes], arrived: float, send: Send) -> int:
        """Answer a question to our model; return the status."""
        request = None
        try:
            if _BINARY_HEADER in headers and route.protocol is Protocol.V2:
                request = _decoded(body, headers[_BINARY_HEADER], self._service.name)
            parsed = orjson.loads(body) if request is None else body_of(request)
            reply = await self._service.reply(Question(route.protocol, parsed, arrived, route.explain, _request_id(headers)))
            encoded = _json(reply) if request is None else _encoded(request, reply)
        except Exception as error:  # noqa: BLE001 - the process must outlive one request, whatever XGBoost raises
            refusal = self._refusal(error)
            await send_json(send, refusal.status, {"error": refusal.sentence}, (*refusal.headers, *_echo(headers)))
            return refusal.status
        await send_bytes(send, 200, encoded.body, (*encoded.headers, *_reply_headers(reply)))
        return 200

    def _refusal(self, error: Exception) -> Refusal:
        match error:
            case orjson.JSONDecodeError():
                return Refusal(400, f"the request body is not valid JSON: {error}")
            case UnknownCategoryError():
                self._log_once(str(error))
                return Refusal(500, str(error))
            case OutOfRangeError():
                return Refusal(422, str(error))
            case RequestError() | FeatureError() | InvalidInput():
                return Refusal(400, str(error))
            case _:
                _log.error("a prediction failed", exc_info=error)
                return Refusal(500, "the model server failed to predict; its log has the cause")

    async def _busy(self, route: Route, send: Send) -> None:
        sentence = f"the server answers {self._under_way} requests at this moment, which is its limit; try again"
        # The body was not read: the connection cannot carry another request.
        await send_json(send, 429, {"error": sentence}, ((b"retry-after", b"1"), _CLOSE))
        self._service.meter.request(route.protocol, 429, 0.0)

    def _count(self, route: Route | None, status: int, arrived: float) -> None:
        if route is not None:
            self._service.meter.request(route.protocol, status, asyncio.get_running_loop().time() - arrived)

    def _log_once(self, sentence: str) -> None:
        """A model that refuses a value refuses it thousands of times; the log needs each sentence once."""
        if sentence not in self._logged and len(self._logged) < _REMEMBERED_ERRORS:
            self._logged.add(sentence)
            _log.warning("cannot predict: %s (said once)", sentence)


def _decoded(body: bytes, length: bytes, model_name: str) -> InferRequest:
    """A V2 body whose JSON is followed by the tensors' bytes."""
    try:
        return InferRequest.from_bytes(body, int(length), model_name)
    except InvalidInput:
        raise
    except Exception as error:  # KServe's decoder raises whatever it stumbles upon
        raise RequestError(f"the binary tensors cannot be decoded: {type(error).__name__}: {error}") from error


def _json(reply: Reply) -> Encoded:
    return Encoded(orjson.dumps(reply.body), (JSON,))


def _encoded(request: InferRequest, reply: Reply) -> Encoded:
    """The answer as a client that sent binary tensors wants it: its tensors in binary, too, or not."""
    try:
        encoded, json_length = response_of(request, reply.body).to_rest()
    except Exception as error:  # KServe's encoder takes the client's parameters as they are
        raise RequestError(f"the answer cannot be encoded as 'outputs' and 'parameters' want it: {error}") from error
    if json_length is None:
        return Encoded(orjson.dumps(encoded), (JSON,))
    return Encoded(encoded, ((b"content-type", b"application/octet-stream"), (_BINARY_HEADER, str(json_length).encode())))


def _request_id(headers: dict[bytes, bytes]) -> str | None:
    found = headers.get(REQUEST_ID_HEADER, b"")
    return found.decode() if 0 < len(found) <= _LONGEST_ID and found.isascii() else None


def _echo(headers: dict[bytes, bytes]) -> Headers:
    return ((REQUEST_ID_HEADER, headers[REQUEST_ID_HEADER]),) if _request_id(headers) else ()


def _reply_headers(reply: Reply) -> Headers:
    # An id may come from the body, where it may hold anything: a line break would begin another header.
    fits = len(reply.request_id) <= _LONGEST_ID and reply.request_id.isascii() and reply.request_id.isprintable()
    given = ((REQUEST_ID_HEADER, reply.request_id.encode()),) if fits else ()
    return given if reply.fallback is None else (*given, (FALLBACK_HEADER, reply.fallback.encode()))
