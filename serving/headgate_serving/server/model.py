"""The exported model as KServe's server knows it: request → columns → probabilities → answer.

KServe answers 500 to whatever a model raises. Here a request that does not fit is the client's mistake (400), and only what
the model itself cannot do is the server's (500): a rollout counts the latter against the candidate.
"""

import asyncio
import uuid
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from kserve import InferRequest, Model
from kserve.errors import InferenceError, InvalidInput
from numpy.typing import NDArray

from headgate_serving.model import Columns, ExportedModel, FeatureError, RequestError, columns_from_v1, columns_from_v2
from headgate_serving.model.golden import OUTPUT
from headgate_serving.model.requests import DATATYPES

_ROWS_ON_THE_LOOP = 256
"""Up to here (about 2 ms) a prediction is cheaper than handing it to a thread; more rows would delay other requests."""


class Protocol(Enum):
    """KServe's two REST protocols."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True)
class Question:
    """A parsed JSON body and the protocol of the path it came to."""

    protocol: Protocol
    body: object


@dataclass(frozen=True)
class Rows:
    """A question understood: the rows to predict, and how to answer."""

    protocol: Protocol
    columns: Columns
    request_id: str


@dataclass(frozen=True)
class Prediction:
    """The rows' probabilities, and how to answer."""

    rows: Rows
    probabilities: NDArray[np.float64]


class PredictionModel(Model):  # type: ignore[misc]  # kserve is untyped
    """One exported model under the name of the request path."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder
        self._exported: ExportedModel

    def load(self) -> bool:
        """Read and verify the folder, and predict once: the first prediction is slow, and a wrong model must not get ready.

        Raises:
            ModelError: the folder is incomplete or changed, or the model does not answer as it must.
        """
        self._exported = ExportedModel.load(self._folder)
        self._exported.predict({name: [None] for name in self._exported.features.names})
        self.ready = True
        return True

    async def preprocess(self, payload: Question | InferRequest | dict[str, Any], headers: dict[str, str] | None = None) -> Rows:  # noqa: ARG002
        """Understand a question; KServe's own endpoints pass a decoded `InferRequest` (binary V2) or a dict (V1 CloudEvent)."""
        if not isinstance(payload, Question):
            payload = Question(Protocol.V2, _body_of(payload)) if isinstance(payload, InferRequest) else Question(Protocol.V1, payload)
        read = columns_from_v2 if payload.protocol is Protocol.V2 else columns_from_v1
        try:
            return Rows(payload.protocol, read(payload.body, self._exported.features), _request_id(payload.body))
        except RequestError as error:
            raise InvalidInput(str(error)) from error

    async def predict(self, rows: Rows, headers: dict[str, str] | None = None) -> Prediction:  # noqa: ARG002
        """Encode and predict.

        Raises:
            InferenceError: the encoder refuses the values (an unknown category under the policy `error`).
        """
        try:
            if len(next(iter(rows.columns.values()))) <= _ROWS_ON_THE_LOOP:
                return Prediction(rows, self._exported.predict(rows.columns))
            return Prediction(rows, await asyncio.to_thread(self._exported.predict, rows.columns))
        except FeatureError as error:
            raise InferenceError(str(error)) from error

    async def postprocess(self, prediction: Prediction, headers: dict[str, str] | None = None) -> dict[str, Any]:  # noqa: ARG002
        """The answer in the protocol of the question."""
        probabilities = prediction.probabilities.tolist()
        if prediction.rows.protocol is Protocol.V1:
            return {"predictions": [{OUTPUT: probability} for probability in probabilities]}
        output = {"name": OUTPUT, "shape": [len(probabilities)], "datatype": "FP64", "data": probabilities}
        return {
            "model_name": self.name,
            "model_version": self._exported.metadata.get("version"),
            "id": prediction.rows.request_id,
            "outputs": [output],
        }

    def get_input_types(self) -> list[dict[str, Any]]:
        """The tensors a V2 request must carry, for the model's metadata endpoint."""
        return [{"name": feature.name, "datatype": DATATYPES[feature.kind], "shape": [-1]} for feature in self._exported.features.features]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The tensor a V2 answer carries."""
        return [{"name": OUTPUT, "datatype": "FP64", "shape": [-1]}]


def _request_id(body: object) -> str:
    found = body.get("id") if isinstance(body, dict) else None
    if found is not None and not isinstance(found, str):
        raise RequestError(f"the request's 'id' must be a string, found {found!r}")
    return found or uuid.uuid4().hex


def _body_of(request: InferRequest) -> dict[str, Any]:
    tensors = [
        {"name": tensor.name, "shape": list(tensor.shape), "datatype": tensor.datatype, "data": _values_of(tensor)}
        for tensor in request.inputs
    ]
    return {"id": request.id, "inputs": tensors}


def _values_of(tensor: Any) -> list[Any]:
    values = tensor.data if isinstance(tensor.data, list) else tensor.as_numpy().ravel().tolist()
    return [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values]
