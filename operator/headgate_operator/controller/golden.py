"""Asking a candidate its golden inputs over its own cluster-local address, before it has traffic.

The golden set is pinned by its SHA-256: one that changed under a running candidate is not the one it was started with. Every
answer is bounded in time and size; whatever goes wrong on the way is `ParityUnavailable` and is tried again, never a mismatch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from headgate_operator.api.names import PARITY_HEADER
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Protocol
from headgate_operator.metrics.body import bounded_body
from headgate_operator.rollout.parity import is_number

GOLDEN_KEY: Final = "golden.json"

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=3)
_MAX_ANSWER_BYTES: Final = 4_000_000
_SHOWN: Final = 200


@dataclass(frozen=True)
class Golden:
    """A golden set as it is in its ConfigMap, or in its tag in the registry."""

    sha256: str
    request: Mapping[str, Any]
    """A V2 request body."""
    outputs: Mapping[str, Any]
    """Expected numbers by output name."""


class GoldenError(Exception):
    """There is no usable golden set, or no usable answer. `reason` is GoldenMissing or ParityUnavailable."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_golden(config_map: Mapping[str, Any] | None, name: str) -> Golden:
    """Return the golden set of a ConfigMap; GoldenError says what is wrong with it."""
    if config_map is None:
        raise GoldenError(Reason.GOLDEN_MISSING, f"ConfigMap {name} does not exist; apply it before the ModelDeployment")
    text = (config_map.get("data") or {}).get(GOLDEN_KEY)
    if text is None:
        raise GoldenError(Reason.GOLDEN_MISSING, f"ConfigMap {name} has no key {GOLDEN_KEY}")
    return parse_golden(text, f"{GOLDEN_KEY} of ConfigMap {name}")


def parse_golden(text: str, where: str) -> Golden:
    """Return a golden set from its JSON; GoldenError says what is wrong with it."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GoldenError(Reason.GOLDEN_MISSING, f"{where} is not JSON: {error}") from error
    match content:
        case {"format": 1, "request": {"inputs": list()} as request, "outputs": dict() as outputs}:
            _check_outputs(outputs, where)
            return Golden(hashlib.sha256(text.encode()).hexdigest(), request, outputs)
    raise GoldenError(Reason.GOLDEN_MISSING, f"{where} is not a golden set of format 1 (format, request, outputs)")


def _check_outputs(outputs: Mapping[str, Any], where: str) -> None:
    """Expected answers that are no numbers would read as a mismatch, and refuse a version for a fault of its golden set."""
    for output, values in outputs.items():
        if not isinstance(values, list) or not values or not all(map(is_number, values)):
            message = f"{where}: the output {output} must be a list of finite numbers, one for each row"
            raise GoldenError(Reason.GOLDEN_MISSING, message)
    if not outputs:
        raise GoldenError(Reason.GOLDEN_MISSING, f"{where} has no outputs to compare with")


class GoldenQuestion:
    """Sends golden requests. One session for all candidates; it obeys the proxy variables of the environment."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, url: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer's body; GoldenError if there is none that could be compared."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)
        try:
            async with self._session.post(url, json=request, headers={PARITY_HEADER: "1"}, allow_redirects=False) as response:
                body = await bounded_body(response, _MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _unavailable(f"{url} did not answer: {str(error) or 'no answer within 10 s'}") from error
        if response.status != 200:
            said = body[:_SHOWN].decode(errors="replace").strip()
            raise _unavailable(f"{url} answered HTTP {response.status}: {said}")
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise _unavailable(f"{url} answered something that is not JSON: {error}") from error
        if not isinstance(answer, dict):
            raise _unavailable(f"{url} answered JSON that is no object")
        return answer

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()


def _unavailable(message: str) -> GoldenError:
    return GoldenError(Reason.PARITY_UNAVAILABLE, message)


def inference_path(protocol: Protocol, model_name: str) -> str:
    """Return the path that predictions are asked at."""
    return f"/v1/models/{model_name}:predict" if protocol is Protocol.V1 else f"/v2/models/{model_name}/infer"


def request_body(protocol: Protocol, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the golden request, which is kept as a V2 body, in the candidate's protocol."""
    if protocol is Protocol.V2:
        return request
    columns = {tensor["name"]: tensor["data"] for tensor in request["inputs"]}
    return {"instances": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}
