"""Reading request bodies: JSON, or YAML where the API takes it. Never NaN, never dates."""

import json
from typing import Any

import yaml

from headgate_devcluster.apiserver.errors import bad_request


class _KubernetesLoader(yaml.CSafeLoader):
    """YAML as the API server reads it: a timestamp stays a string."""


_KubernetesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parse(body: bytes, content_type: str) -> Any:
    """Return the JSON value of a body; 400 if it is none."""
    if content_type.endswith("yaml"):
        return _parse_yaml(body)
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise bad_request(f"error decoding from json: {error}") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"invalid character '{word[0]}' looking for beginning of value")


def _parse_yaml(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except ValueError:  # most clients send JSON, which is much faster to read
        pass
    try:
        value = yaml.load(body, Loader=_KubernetesLoader)  # noqa: S506 - a safe loader
        json.dumps(value, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise bad_request(f"error decoding YAML: {error}") from None
    return value
