"""The few calls of MLflow's REST API that following an alias needs (`/api/2.0/mlflow/…`).

KServe can read neither `models:/` nor `mlflow-artifacts:` URIs. What it can read is where the version was exported to: the tag
`headgate.storageUri` that registering writes, or else where the registry itself keeps the files, if that is a plain storage URI.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headgate_operator.api.rules.pods import is_storage_uri
from headgate_operator.controller.upstream.rest import Rest, RestError

STORAGE_TAG: Final = "headgate.storageUri"
GOLDEN_TAG: Final = "headgate.golden"

_API: Final = "/api/2.0/mlflow"
_VERSION: Final = re.compile("[0-9]{1,18}")
_LONGEST_URI: Final = 1024


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """A version of a registered model, and where KServe finds it."""

    version: str
    uri: str


async def version_of_alias(rest: Rest, server: str, name: str, alias: str) -> ModelVersion:
    """Return the version that an alias points to; RestError if nobody can say."""
    answer = await rest.get(server, f"{_API}/registered-models/alias", {"name": name, "alias": alias})
    found = _version(server, answer, name)
    version, uri = str(found["version"]), _tags(found).get(STORAGE_TAG)
    if uri is None:
        uri = await _download_uri(rest, server, name, version)
    if len(uri) > _LONGEST_URI or not is_storage_uri(uri):
        where = f"version {version} of {name} is stored at {uri[:200]!r}, which KServe cannot read"
        raise RestError(f"{where}; tag it {STORAGE_TAG} with where it was exported to")
    return ModelVersion(version=version, uri=uri)


async def golden_of_version(rest: Rest, server: str, name: str, version: str) -> str | None:
    """Return the golden set of a version as it was registered; None if it has none."""
    answer = await rest.get(server, f"{_API}/model-versions/get", {"name": name, "version": version})
    return _tags(_version(server, answer, name)).get(GOLDEN_TAG)


async def set_alias(rest: Rest, server: str, name: str, *, alias: str, version: str) -> None:
    """Point an alias at a version. Doing it twice is doing it once."""
    await rest.post(server, f"{_API}/registered-models/alias", {"name": name, "alias": alias, "version": version})


async def set_tag(rest: Rest, server: str, name: str, version: str, *, key: str, value: str) -> None:
    """Set a tag of a version. Doing it twice is doing it once."""
    await rest.post(server, f"{_API}/model-versions/set-tag", {"name": name, "version": version, "key": key, "value": value})


async def _download_uri(rest: Rest, server: str, name: str, version: str) -> str:
    answer = await rest.get(server, f"{_API}/model-versions/get-download-uri", {"name": name, "version": version})
    uri = answer.get("artifact_uri")
    if not isinstance(uri, str) or not uri:
        raise RestError(f"{server} does not say where version {version} of {name} is stored")
    return uri


def _version(server: str, answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get("model_version")
    if not isinstance(found, dict) or found.get("name") != name or _VERSION.fullmatch(str(found.get("version"))) is None:
        raise RestError(f"{server} answered something that is no version of {name}; is it an MLflow server?")
    return found


def _tags(found: Mapping[str, Any]) -> Mapping[str, str]:
    tags = found.get("tags")
    pairs = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return {str(tag.get("key")): str(tag.get("value", "")) for tag in pairs}
