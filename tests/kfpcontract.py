"""What the published OpenAPI of Kubeflow Pipelines (v2beta1) allows to ask and to answer.

`kfp-server-api` is generated from that OpenAPI and released with every version of kfp, so the lock pins both alike: its methods hold the
paths and queries, its models the fields, types and values. Asking it keeps no copy here that would grow old.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import kfp_server_api.api
import kfp_server_api.models

_PRIMITIVES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "object": (object,)}
_DOCUMENTED = re.compile(r":type (\w+): (\S+)")
_NO_PARAMETERS = {"async_req", "_preload_content", "_request_timeout", "_return_http_data_only"}


class BreachError(AssertionError):
    """A request or an answer that the OpenAPI does not allow."""


@dataclass(frozen=True)
class Operation:
    """One verb on one path."""

    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    body: str | None
    file: str | None
    answer: str


def check_request(
    method: str, path: str, query: Mapping[str, str], body: Any = None, files: Mapping[str, bytes] | None = None
) -> Operation:
    """The operation that was asked for; BreachError if there is none, or if it is asked for wrongly."""
    found = [one for one in operations() if one.method == method and one.path.fullmatch(path)]
    if not found:
        raise BreachError(f"there is no {method} {path}")
    operation = found[0]
    for name, value in query.items():
        if name not in operation.query:
            raise BreachError(f"{method} {path} has no query parameter {name}")
        check(operation.query[name], int(value) if operation.query[name] == "int" else value, name)
    if operation.body:
        check(operation.body, body, "body")
    if set(files or ()) != ({operation.file} if operation.file else set()):
        raise BreachError(f"{method} {path} takes the file {operation.file}, found {files}")
    return operation


def check(kind: str, value: Any, where: str) -> None:
    """BreachError if a JSON value is not what a model, a list of them or a primitive must be."""
    if inner := re.fullmatch(r"(list\[|dict\(str, )(.+)[\])]", kind):
        _expect(isinstance(value, list if inner[1] == "list[" else dict), kind, value, where)
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            check(inner[2], one, f"{where}.{key}")
    elif kind in _PRIMITIVES:
        _expect(
            isinstance(value, _PRIMITIVES[kind]) and (kind == "bool" or kind == "object" or not isinstance(value, bool)), kind, value, where
        )
    elif kind == "datetime":
        _expect(isinstance(value, str) and bool(datetime.fromisoformat(value)), kind, value, where)
    else:
        _check_model(getattr(kfp_server_api.models, kind), value, where)


@cache
def operations() -> tuple[Operation, ...]:
    """All of them. Paths with fewer wildcards first, as routers match."""
    return tuple(sorted(_operations(), key=lambda operation: operation.path.pattern.count("[^/")))


def _check_model(model: Any, value: Any, where: str) -> None:
    if allowed := getattr(model, "allowable_values", None):
        _expect(value in allowed, f"one of {allowed}", value, where)
        return
    _expect(isinstance(value, dict), model.__name__, value, where)
    kinds = {name: model.openapi_types[attribute] for attribute, name in model.attribute_map.items()}
    for name, one in value.items():
        if name not in kinds:
            raise BreachError(f"{where}: {model.__name__} has no field {name}; it has {', '.join(kinds)}")
        if one is not None:
            check(kinds[name], one, f"{where}.{name}")


def _expect(met: bool, kind: str, value: Any, where: str) -> None:
    if not met:
        raise BreachError(f"{where} must be {kind}, found {value!r}")


def _operations() -> Iterator[Operation]:
    for module in pkgutil.iter_modules(kfp_server_api.api.__path__):
        for _, service in inspect.getmembers(importlib.import_module(f"kfp_server_api.api.{module.name}"), inspect.isclass):
            if service.__module__.startswith("kfp_server_api.api."):
                yield from (_operation(service, name) for name, _ in inspect.getmembers(service) if name.endswith("_with_http_info"))


def _operation(service: Any, name: str) -> Operation:
    """Calls the method with its parameters' own names as values, and looks at what it would have sent."""
    documentation = getattr(service, name).__doc__
    kinds = {parameter: kind.rstrip(",") for parameter, kind in _DOCUMENTED.findall(documentation) if parameter not in _NO_PARAMETERS}
    sent: dict[str, Any] = {}

    def call_api(path: str, method: str, _: Any, query: list[tuple[str, str]], __: Any, **more: Any) -> None:
        sent.update(more, path=path, method=method, query=dict(query))

    client = SimpleNamespace(
        client_side_validation=False, call_api=call_api, select_header_accept=lambda _: "", select_header_content_type=lambda _: ""
    )
    getattr(service(client), name)(**{parameter: parameter for parameter in kinds})
    files = list(sent["files"])
    return Operation(
        method=sent["method"],
        path=re.compile(re.sub(r"\\{\w+\\}", "[^/:]+", re.escape(sent["path"]))),
        query={key: kinds[parameter] for key, parameter in sent["query"].items()},
        body=kinds[sent["body"]] if sent["body"] else None,
        file=files[0] if files else None,
        answer=sent["response_type"],
    )
