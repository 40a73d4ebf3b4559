"""Fetches a registered version: its export, checked against the hashes it was written with."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from headgate_components.models import model_errors
from headgate_components.registered import ModelVersion, require_version
from headgate_serving.model import ExportedModel
from headgate_serving.model.layout import DRIFT, FEATURES, MODEL


@dataclass(frozen=True)
class Parts:
    """Where the parts of an export go."""

    model: Path
    features: Path
    reference: Path
    """A folder; it stays empty if the export has no drift reference."""


def fetch(tracking_uri: str, model_name: str, which: str, parts: Parts) -> ModelVersion:
    """Copies model, features and drift reference of a version.

    Args:
        tracking_uri: the registry.
        model_name: the registered model.
        which: the version's number, or an alias.
        parts: where to copy to.

    Raises:
        StepError: there is no such version, or its export is incomplete or was changed.
    """
    found = require_version(tracking_uri, model_name, which)
    folder = found.folder
    with model_errors():
        ExportedModel.load(folder)
    for name, target in ((MODEL, parts.model), (FEATURES, parts.features)):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target)
    parts.reference.mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / DRIFT).glob("*")):
        shutil.copyfile(path, parts.reference / path.name)
    return found
