"""The short way for JSON predictions, in front of KServe's application.

KServe validates every value of a V2 body with pydantic and times, logs and decodes each request on its way; that is most of a
small request's time. Everything that is not a plain JSON prediction for our model (health, metadata, metrics, binary
tensors, CloudEvents) takes KServe's way.
"""

import logging
from typing import Any

import orjson
from kserve.errors import InferenceError, InvalidInput
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headgate_serving.server.model import PredictionModel, Protocol, Question

MAX_BODY = 16 * 1024 * 1024
"""Bytes a body may have; 10,000 rows of 18 features take about 3 MB."""

_LONG_WAY_HEADERS = {b"inference-header-content-length", b"ce-specversion", b"content-encoding"}
_REMEMBERED_ERRORS = 100

_log = logging.getLogger("headgate.serving")


class BodyTooLargeError(ValueError):
    """A body beyond `MAX_BODY`."""


class Front:
    """ASGI application: JSON predictions itself, the rest by `application`."""

    def __init__(self, application: ASGIApp, model: PredictionModel) -> None:
        self._application = application
        self._model = model
        self._paths = {f"/v1/models/{model.name}:predict": Protocol.V1, f"/v2/models/{model.name}/infer": Protocol.V2}
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        protocol = self._paths.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if protocol is None or not _LONG_WAY_HEADERS.isdisjoint(name for name, _ in scope["headers"]):
            await self._application(scope, receive, send)
            return
        try:
            body = await _read_body(receive)
        except BodyTooLargeError as error:
            # The rest of the body is still on its way: the connection cannot carry another request.
            await _send(send, 413, {"error": str(error)}, close=True)
            return
        if body is not None:
            await _send(send, *await self._answer(protocol, body))

    async def _answer(self, protocol: Protocol, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            answer, _ = await self._model(Question(protocol, orjson.loads(body)))
        except orjson.JSONDecodeError as error:
            return 400, {"error": f"the request body is not valid JSON: {error}"}
        except InvalidInput as error:
            return 400, {"error": str(error)}
        except InferenceError as error:
            self._log_once(str(error))
            return 500, {"error": str(error)}
        except Exception:  # noqa: BLE001 - the process must outlive one request, whatever XGBoost raises
            _log.exception("a prediction failed")
            return 500, {"error": "the model server failed to predict; its log has the cause"}
        return 200, answer

    def _log_once(self, sentence: str) -> None:
        """A model that refuses a value refuses it thousands of times; the log needs each sentence once."""
        if sentence not in self._logged and len(self._logged) < _REMEMBERED_ERRORS:
            self._logged.add(sentence)
            _log.warning("cannot predict: %s (said once)", sentence)


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away meanwhile."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise BodyTooLargeError(f"the request body is larger than {MAX_BODY // 2**20} MiB; send fewer rows a request")
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _send(send: Send, status: int, answer: dict[str, Any], *, close: bool = False) -> None:
    body = orjson.dumps(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
