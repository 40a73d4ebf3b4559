"""Finds the version that already is what is about to be registered.

A run whose steps all came from the cache brings the very same model again. That is no new version: a second one would roll out what
already serves, or what was already refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headgate_components.deployment.register_model.registry import Registry
from headgate_components.registered import ModelVersion
from headgate_components.step import StepError
from headgate_serving.model import ExportedModel, ModelError


def same_version(
    registry: Registry, model_name: str, tags: Mapping[str, str], *, settings: Mapping[str, Any], folder: Path
) -> tuple[ModelVersion, ExportedModel] | None:
    """The newest version of a model that came from the same, with its export; None if there is none.

    Args:
        registry: where to look.
        model_name: its name there.
        tags: what its tags must say: the data it came from and the digests of its files.
        settings: what it must have been trained with.
        folder: where its export must lie, unharmed; if somebody moved, changed or removed it, the model is to be registered anew.

    Raises:
        StepError: the registry cannot be asked.
    """
    for version in registry.versions_with(model_name, tags):
        exported = _export_of(version)
        if exported and exported.folder.parent == folder and exported.metadata.get("settings") == settings:
            return version, exported
    return None


def _export_of(version: ModelVersion) -> ExportedModel | None:
    try:
        return ExportedModel.load(version.folder)
    except (ModelError, StepError):
        return None
