"""A version in the model registry, found by its number or by the alias that names it, with the export that serving reads."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from headgate_components.step import StepError

# Read when MLflow is imported: no telemetry from a cluster, no lock files looked for around a model, and a server that is down is told in
# seconds, not after minutes of retries.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

SQLITE = "sqlite:///"
STORAGE_TAG = "headgate.storageUri"
PVC = "pvc"
VOLUMES = Path("/mnt")
"""Where our steps find the volumes of claims, each under its name."""

_UNREACHABLE = re.compile(r"\[Errno -?\d+\] ([^\])\"']+)")
"""What the system said of a connection, inside of what urllib3, requests and MLflow wrapped around it."""

_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})
"""What MLflow answers for a model, version or alias that is not there; the second for an alias of a model that exists."""


@dataclass(frozen=True)
class ModelVersion:
    """A version and where its export is."""

    model_name: str
    version: str
    uri: str
    tags: dict[str, str]

    @property
    def folder(self) -> Path:
        """The folder of the export.

        Raises:
            StepError: it is where a step cannot read it.
        """
        return folder_of(self.uri, "model")


def find_version(tracking_uri: str, model_name: str, which: str) -> ModelVersion | None:
    """The version with this number, or that this alias names; None if there is none.

    Raises:
        StepError: the registry cannot be asked, or the version was not registered by `register_model`.
    """
    if tracking_uri.startswith(SQLITE) and not Path(tracking_uri.removeprefix(SQLITE)).exists():
        return None  # a client would make the database
    with registry_errors(tracking_uri):
        client = MlflowClient(tracking_uri)
        try:
            found = (
                client.get_model_version(model_name, which) if which.isdecimal() else client.get_model_version_by_alias(model_name, which)
            )
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise
    uri = found.tags.get(STORAGE_TAG)
    if not uri:
        raise StepError(f"version {found.version} of '{model_name}' has no tag {STORAGE_TAG}; register it with register_model")
    return ModelVersion(model_name, str(found.version), uri, dict(found.tags))


def require_version(tracking_uri: str, model_name: str, which: str) -> ModelVersion:
    """The version with this number, or that this alias names.

    Raises:
        StepError: there is none, or as `find_version`.
    """
    found = find_version(tracking_uri, model_name, which)
    if found is None:
        kind = "version" if which.isdecimal() else "alias"
        absent = f"the registry at '{tracking_uri}' has no {kind} '{which}' of a model '{model_name}'"
        raise StepError(f"{absent}; name one that it has, or train and register it first")
    return found


def folder_of(uri: str, what: str) -> Path:
    """The folder of a path, a `file://` URI, or a `pvc://claim/path` as KServe reads it, whose claim our steps mount at /mnt/claim.

    Raises:
        StepError: another scheme.
    """
    url = urlparse(uri)
    if url.scheme == PVC and url.netloc:
        return VOLUMES / url.netloc / unquote(url.path).lstrip("/")
    if url.scheme not in ("", "file"):
        raise StepError(f"the {what} '{uri}' has an unknown scheme; allowed are a folder, a file:// URI and pvc://<claim>/<folder>")
    return Path(unquote(url.path) if url.scheme else uri).absolute()


def uri_of(folder: Path, storage: str) -> str:
    """The URI under which serving finds a folder in this storage."""
    url = urlparse(storage)
    return f"{PVC}://{folder.relative_to(VOLUMES).as_posix()}" if url.scheme == PVC else folder.as_uri()


@contextmanager
def registry_errors(tracking_uri: str) -> Iterator[None]:
    """Turns what MLflow and its database refuse into the step's own failure."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        reason: Any = (str(error).splitlines() or ["unknown error"])[0]
        if unreachable := _UNREACHABLE.search(reason):
            raise StepError(f"the model registry at '{tracking_uri}' cannot be reached: {unreachable[1]}") from error
        raise StepError(f"the model registry at '{tracking_uri}' refused: {reason}") from error
