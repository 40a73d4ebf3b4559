"""What a Prometheus server answered, checked: whatever is not a whole, sound answer is an error and never a number."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from headgate_operator.metrics.exposition import MalformedError

_SHOWN: Final = 300
"""Characters of a server's own words that are repeated."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series with its newest sample."""

    labels: Mapping[str, str]
    """With `__name__`, if the query kept it."""
    at: datetime
    """When it was scraped; of an expression, for when it was evaluated."""
    value: float
    """Finite and at least 0."""


def read_answer(body: bytes) -> list[Series]:
    """Return the series of an answer to an instant query, a vector or a range. MalformedError with a sentence if there is any doubt.

    A partial answer (Thanos, Mimir and Cortex send one with a warning when a store is away) is none: its gap would look like a drop.
    """
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise MalformedError(f"the answer is not JSON: {error}") from None
    match answer:
        case {"status": "success", "warnings": [first, *_]}:
            raise MalformedError(f"the answer is not complete: {_clip(first)}")
        case {"status": "success", "data": {"resultType": "vector" | "matrix" as kind, "result": list(results)}}:
            return [_series(result, kind) for result in results]
        case {"status": "success", "data": {"resultType": kind}}:
            raise MalformedError(f"the answer is a {_clip(kind)}; write a query whose result is an instant vector")
        case {"status": "error", "error": why}:
            raise MalformedError(f"the query failed: {_clip(why)}")
    raise MalformedError("the answer is not that of a Prometheus query API")


def said(body: bytes) -> str:
    """Return what a server said about an error, in its words if it has any."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return _clip(answer["error"]) if isinstance(answer, dict) and "error" in answer else ""


def _series(result: Any, kind: str) -> Series:
    match result, kind:
        case ({"metric": dict(labels), "value": [at, text]}, "vector"):
            return _checked(labels, at, text)
        case ({"metric": dict(labels), "values": [*_, [at, text]] as samples}, "matrix"):
            if not _in_order(samples):
                raise MalformedError(f"the samples of {_clip(labels)} are not in the order of time")
            return _checked(labels, at, text)
    raise MalformedError("a series of the answer has no labels or no sample; native histograms cannot be read")


def _in_order(samples: list[Any]) -> bool:
    try:
        return all(earlier < later for (earlier, _), (later, _) in pairwise(samples))
    except (TypeError, ValueError):
        return False


def _checked(labels: dict[Any, Any], at: Any, text: Any) -> Series:
    if not all(isinstance(part, str) for pair in labels.items() for part in pair):
        raise MalformedError("a label of the answer is not a text")
    try:
        value, time = float(text), datetime.fromtimestamp(float(at), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise MalformedError(f"a sample of the answer is no number at a time: {_clip([at, text])}") from None
    if not math.isfinite(value) or value < 0:
        raise MalformedError(f"a counter must be finite and at least 0; {_clip(labels)} is {_clip(text)}")
    return Series(labels=labels, at=time, value=value)


def _clip(what: Any) -> str:
    text = " ".join(str(what).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
