"""Parameters of a run in the types that its pipeline declares: a manifest has them as text, which the API server takes for no number."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate_operator.controller.upstream.rest import RestError


def typed_parameters(given: Mapping[str, str], pipeline_spec: object) -> dict[str, Any]:
    """Return the values as the pipeline's specification wants them; RestError names the first that cannot be read so.

    What the pipeline does not declare is left as text: the API server refuses it in its own words.
    """
    declared = _declared(pipeline_spec)
    return {name: _typed(name, text, declared.get(name)) for name, text in given.items()}


def _declared(pipeline_spec: object) -> Mapping[str, str]:
    """Return the types by name. A pipeline with settings for a platform has its specification one level deeper."""
    inner = _within(pipeline_spec, "pipeline_spec") or pipeline_spec
    parameters = _within(_within(_within(inner, "root"), "inputDefinitions"), "parameters")
    if not isinstance(parameters, dict):
        return {}
    return {str(name): str(_within(about, "parameterType")) for name, about in parameters.items()}


def _within(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _typed(name: str, text: str, kind: str | None) -> Any:
    read, wanted = _READERS.get(kind or "", (str, ""))
    try:
        return read(text)
    except (ValueError, RecursionError) as error:
        raise RestError(f"retraining parameter {name} is {text[:80]!r}, and the pipeline wants {wanted}") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _json(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "NUMBER_INTEGER": (int, "a whole number such as 200"),
    "NUMBER_DOUBLE": (_finite, "a number such as 0.1"),
    "BOOLEAN": (_truth, "true or false"),
    "LIST": (_json(list), 'JSON of a list, such as ["a", "b"]'),
    "STRUCT": (_json(dict), 'JSON of an object, such as {"a": 1}'),
}
