"""The service as KServe's server knows it, for the ways in that are KServe's own: CloudEvents and gRPC.

KServe answers 500 (gRPC: INTERNAL) to whatever a model raises that is not one of its own errors.
"""

import asyncio
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InferenceError, InvalidInput

from headgate_serving.model import FeatureError, RequestError, UnknownCategoryError
from headgate_serving.model.requests import DATATYPES
from headgate_serving.server.service import CONTRIBUTIONS, Protocol, Question, Service


class PredictionModel(Model):  # type: ignore[misc]  # kserve is untyped
    """One service under the name of the request path."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.name)
        self._service = service
        self.ready = True

    async def predict(
        self, payload: InferRequest | dict[str, Any], headers: dict[str, str] | None = None
    ) -> InferResponse | dict[str, Any]:
        """Answer a decoded V2 request (gRPC), or the dict of a V1 CloudEvent.

        Raises:
            InvalidInput: the request does not fit the model.
            InferenceError: the model must not guess an unknown category.
        """
        return await self._reply(payload, headers, explain=False)

    async def explain(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> InferResponse | dict[str, Any]:
        """Explain the rows of a V1 CloudEvent."""
        return await self._reply(payload, headers, explain=True)

    def get_input_types(self) -> list[dict[str, Any]]:
        """The tensors a V2 request may carry, for the model's metadata endpoint."""
        features = self._service.model.features.features
        return [{"name": feature.name, "datatype": DATATYPES[feature.kind], "shape": [-1]} for feature in features]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The tensors a V2 answer carries; contributions only if they are asked for."""
        width = len(self._service.model.features.names) + 1
        return [
            {"name": self._service.model.output, "datatype": "FP64", "shape": [-1]},
            {"name": CONTRIBUTIONS, "datatype": "FP64", "shape": [-1, width]},
        ]

    async def _reply(
        self, payload: InferRequest | dict[str, Any], headers: dict[str, str] | None, *, explain: bool
    ) -> InferResponse | dict[str, Any]:
        v2 = isinstance(payload, InferRequest)
        body = body_of(payload) if v2 else payload
        protocol = Protocol.GRPC if v2 else Protocol.V1
        loop = asyncio.get_running_loop()
        question = Question(protocol, body, loop.time(), explain=explain, request_id=(headers or {}).get("x-request-id"))
        code = 200
        try:
            reply = await self._service.reply(question)
        except UnknownCategoryError as error:
            code = 500
            raise InferenceError(str(error)) from error
        except (RequestError, FeatureError) as error:
            code = 400
            raise InvalidInput(str(error)) from error
        finally:
            self._service.meter.request(protocol, code, loop.time() - question.arrived)
        return response_of(payload, reply.body) if v2 else reply.body


def body_of(request: InferRequest) -> dict[str, Any]:
    """A decoded V2 request as the JSON body it stands for; these ways know no null: NaN and the empty string mean missing.

    Raises:
        InvalidInput: a tensor's bytes are not what its shape and datatype say.
    """
    tensors = [
        {"name": tensor.name, "shape": list(tensor.shape), "datatype": tensor.datatype, "data": _values_of(tensor)}
        for tensor in request.inputs
    ]
    body: dict[str, Any] = {"id": request.id or None, "inputs": tensors}
    return body if request.request_outputs is None else {**body, "outputs": [{"name": output.name} for output in request.request_outputs]}


def response_of(request: InferRequest, body: dict[str, Any]) -> InferResponse:
    """An answer's body as KServe's class, which knows how the client wants it encoded."""
    outputs = [
        InferOutput(output["name"], output["shape"], output["datatype"], output["data"], output.get("parameters"))
        for output in body["outputs"]
    ]
    return InferResponse(
        body["id"],
        body["model_name"],
        outputs,
        model_version=body["model_version"],
        parameters=body.get("parameters"),
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


def _values_of(tensor: Any) -> list[Any]:
    try:
        values = tensor.data if isinstance(tensor.data, list) and tensor.data else tensor.as_numpy().ravel().tolist()
        return [(value.decode() or None) if isinstance(value, bytes) else value for value in values]
    except Exception as error:  # KServe's decoders raise whatever they stumble upon
        raise InvalidInput(f"tensor '{tensor.name}' cannot be decoded as {tensor.datatype} of shape {tensor.shape}: {error}") from error
