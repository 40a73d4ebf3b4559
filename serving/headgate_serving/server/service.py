"""A parsed request → the body of its answer, in the protocol it came in. Knows neither HTTP nor KServe's classes."""

import asyncio
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_serving.model import ExportedModel, OutOfRangeError, RangeGuard, RequestError, UnknownCategoryError
from headgate_serving.model.errors import shown
from headgate_serving.model.requests import read_v1, read_v2
from headgate_serving.server.engine import Answered, Engine
from headgate_serving.server.metrics import Meter
from headgate_serving.server.options import Options

CONTRIBUTIONS = "contributions"
"""The V2 output that explains; V1 has a path for it."""

MOST_EXPLAINED = 100
"""Rows of an explanation: one costs as much as a dozen predictions."""


class Protocol(StrEnum):
    """KServe's two protocols; V2 also over gRPC."""

    V1 = "v1"
    V2 = "v2"
    GRPC = "grpc"


@dataclass(frozen=True)
class Question:
    """A parsed body, and what the way it came tells about it."""

    protocol: Protocol
    body: object
    arrived: float
    """On the event loop's clock."""
    explain: bool = False
    request_id: str | None = None
    """What the client's header calls it."""


@dataclass(frozen=True)
class Reply:
    """The answer's body, and what belongs into its headers."""

    body: dict[str, Any]
    request_id: str
    fallback: str | None = None


class Service:
    """One model, asked in any of the protocols."""

    def __init__(self, name: str, model: ExportedModel, options: Options) -> None:
        """Check that the model can be served so, and predict once.

        Raises:
            ModelError: it cannot.
        """
        self.name, self.model, self._options = name, model, options
        self.meter = Meter(name, model.version, model.features)
        self.engine = Engine(model, options, self.meter)
        self._guard = RangeGuard.of(model.features, options.range_guard)

    async def reply(self, question: Question) -> Reply:
        """Answer, or explain.

        Raises:
            RequestError, FeatureError: the request does not fit the model.
            UnknownCategoryError: the model must not guess, and there is no fallback.
        """
        request_id = _request_id(question)
        v1 = question.protocol is Protocol.V1
        asked = (read_v1 if v1 else read_v2)(question.body, self.model.features, max_rows=self._options.max_rows)
        outputs = () if v1 else self._outputs(question.body)
        self.meter.unread(asked.unread)
        try:
            matrix = self._guarded(self.model.features.encode(asked.columns))
        except UnknownCategoryError:
            fallback = self.engine.fallback(asked.rows, "failed")
            if fallback is None:
                raise
            self.meter.answer(asked.rows, "failed")
            return self._predictions(question.protocol, fallback, request_id)
        if question.explain or CONTRIBUTIONS in outputs:
            return await self._explanations(question, matrix, request_id)
        return self._predictions(question.protocol, await self.engine.answer(matrix, arrived=question.arrived), request_id)

    def _guarded(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        self.meter.imputed(self.model.features.imputed(matrix))
        try:
            matrix, outside = self._guard.apply(matrix)
        except OutOfRangeError as error:
            self.meter.outside(error.counts)
            raise
        self.meter.outside(outside)
        return matrix

    def _outputs(self, body: object) -> tuple[str, ...]:
        """The names a V2 request wants; none means the prediction."""
        wanted = body.get("outputs") if isinstance(body, dict) else None
        if wanted is None:
            return ()
        known = (self.model.output, CONTRIBUTIONS)
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            raise RequestError("'outputs' must be a list of objects, each with the 'name' of an output")
        other = next((one.get("name") for one in wanted if one.get("name") not in known), None)
        if other is not None or any("name" not in one for one in wanted):
            raise RequestError(f"there is no output {shown(other)}; the model has {' and '.join(known)}")
        return tuple(one["name"] for one in wanted)

    async def _explanations(self, question: Question, matrix: NDArray[np.float32], request_id: str) -> Reply:
        if len(matrix) > MOST_EXPLAINED:
            raise RequestError(f"the request has {len(matrix)} rows; at most {MOST_EXPLAINED} are explained, send several requests")
        contributions = await self.engine.contributions(matrix)
        if contributions.ndim != 2:
            raise RequestError("the model answers several numbers a row; only one can be explained")
        answered = await self.engine.answer(matrix, arrived=asyncio.get_running_loop().time())
        self.meter.explanation(len(matrix))
        if question.protocol is not Protocol.V1:
            reply = self._predictions(question.protocol, answered, request_id)
            reply.body["outputs"].append(self._contribution_tensor(contributions))
            return reply
        names = self.model.features.names
        rows = [
            {self.model.output: value, "bias": row[-1], CONTRIBUTIONS: dict(zip(names, row, strict=False))}
            for value, row in zip(answered.values.tolist(), contributions.tolist(), strict=True)
        ]
        return Reply({"explanations": rows, **_marked(answered)}, request_id, answered.fallback)

    def _contribution_tensor(self, contributions: NDArray[np.float64]) -> dict[str, Any]:
        columns = ",".join((*self.model.features.names, "bias"))
        return {
            "name": CONTRIBUTIONS,
            "shape": list(contributions.shape),
            "datatype": "FP64",
            "parameters": {"columns": columns},
            "data": contributions.ravel().tolist(),
        }

    def _predictions(self, protocol: Protocol, answered: Answered, request_id: str) -> Reply:
        values = answered.values
        if protocol is Protocol.V1:
            plain = values.tolist()
            # A single file answers as KServe's own server does; an export names what it answers.
            listed = plain if self.model.is_single_file else [{self.model.output: value} for value in plain]
            return Reply({"predictions": listed, **_marked(answered)}, request_id, answered.fallback)
        output = {"name": self.model.output, "shape": list(values.shape), "datatype": "FP64", "data": values.ravel().tolist()}
        body: dict[str, Any] = {"model_name": self.name, "model_version": self.model.version, "id": request_id, "outputs": [output]}
        if answered.fallback is not None:
            body["parameters"] = _marked(answered)
        return Reply(body, request_id, answered.fallback)


def _marked(answered: Answered) -> dict[str, str]:
    return {} if answered.fallback is None else {"fallback": answered.fallback}


def _request_id(question: Question) -> str:
    found = question.body.get("id") if question.protocol is not Protocol.V1 and isinstance(question.body, dict) else None
    if found is not None and not isinstance(found, str):
        raise RequestError(f"the request's 'id' must be a string, found {shown(found)}")
    return found or question.request_id or uuid.uuid4().hex
