"""Registers a model in MLflow, exports it to the storage that KServe reads, and only then moves the alias to it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_components import models
from headgate_components.deployment.register_model.again import same_version
from headgate_components.deployment.register_model.lineage import Lineage, artifact_digests
from headgate_components.deployment.register_model.registry import Registry, RunRecord
from headgate_components.files import read_object
from headgate_components.registered import STORAGE_TAG, ModelVersion, folder_of, uri_of
from headgate_components.step import StepError
from headgate_components.versions import library_versions
from headgate_serving.model import ExportedModel, write_export
from headgate_serving.model.layout import GOLDEN

GOLDEN_TAG = "headgate.golden"


@dataclass(frozen=True)
class Artifacts:
    """The files of the steps before."""

    model: Path
    features: Path
    golden: Path
    drift: Path
    metrics: Path


@dataclass(frozen=True)
class Registration:
    """A registered and exported model."""

    model_name: str
    version: str
    export: Path
    uri: str
    """What an InferenceService is given as its storage URI."""

    run_id: str
    metrics: dict[str, float]
    origin: dict[str, Any]
    """Data, period, settings and lineage, as the export's metadata have them."""

    before: bool = False
    """Whether the registry had this version already."""

    def to_json(self) -> dict[str, Any]:
        """What the step hands to whoever started the pipeline."""
        return {
            "modelName": self.model_name,
            "version": self.version,
            "runId": self.run_id,
            "exportUri": self.uri,
            "exportPath": str(self.export),
            "goldenPath": str(self.export / GOLDEN),
            "metrics": self.metrics,
            "registeredBefore": self.before,
            **self.origin,
        }


@dataclass(frozen=True)
class _Model:
    """What is to be registered, read and digested."""

    name: str
    files: Artifacts
    lineage: Lineage
    metrics: dict[str, float]
    golden: dict[str, Any]
    digests: dict[str, str]

    @classmethod
    def read(cls, name: str, files: Artifacts, lineage: Lineage) -> "_Model":
        metrics, golden = read_object(files.metrics, "metrics"), read_object(files.golden, "golden set")
        if absent := [key for key in ("request", "outputs") if key not in golden]:
            raise StepError(f"the golden set '{files.golden}' lacks '{absent[0]}'; use the one that make_golden writes")
        return cls(name, files, lineage, metrics, golden, artifact_digests(files.model, files.features, files.drift))

    @property
    def content_tags(self) -> dict[str, str]:
        """What tells it from other models."""
        parity = json.dumps(self.golden, separators=(",", ":"), sort_keys=True)
        return {**self.lineage.content_tags(self.digests), GOLDEN_TAG: parity}

    @property
    def tags(self) -> dict[str, str]:
        """All that its version says."""
        return {**self.lineage.tags(self.digests), **self.content_tags}


def register(artifacts: Artifacts, lineage: Lineage, *, model_name: str, storage: str, registry: Registry, alias: str) -> Registration:
    """Registers, exports, tags, and sets the alias last: whoever follows it finds everything in place.

    A version that is this very model, with its export unharmed in this storage, is found instead of made again; it gets the alias.

    Raises:
        StepError: the registry or the storage refuses, or an artifact cannot be read.
    """
    folder = folder_of(storage, "storage")
    model = _Model.read(model_name, artifacts, lineage)
    if found := same_version(registry, model_name, model.content_tags, settings=lineage.settings, folder=folder / model_name):
        registry.publish(model_name, found[0].version, {}, alias)
        return _found(*found)
    made = _made(model, folder, storage, registry)
    registry.publish(model_name, made.version, {**model.tags, STORAGE_TAG: made.uri}, alias)
    return made


def _found(version: ModelVersion, exported: ExportedModel) -> Registration:
    """What was said of it when it was registered: the run that made a model is not the one that brings it again."""
    said = exported.metadata
    origin = {key: said[key] for key in ("trainingPeriod", "dataset", "settings", "lineage")}
    run_id, metrics = said["lineage"]["runId"], said["metrics"]
    return Registration(version.model_name, version.version, exported.folder, version.uri, run_id, metrics, origin, before=True)


def _made(model: _Model, folder: Path, storage: str, registry: Registry) -> Registration:
    lineage, files = model.lineage, model.files
    features = models.read_features(files.features)
    record = RunRecord(
        parameters={**lineage.settings, "train_start": lineage.train_start, "train_end": lineage.train_end},
        metrics=model.metrics,
        dataset=lineage.dataset,
        snapshot=lineage.snapshot,
        git_commit=lineage.git_commit,
        tags=lineage.tags(model.digests),
    )
    booster = models.read_model(files.model)
    made = registry.register(model.name, booster, record, inputs=len(features.names), files=[files.features, files.golden])
    origin = lineage.to_json(model.digests, made.run_id)
    with models.model_errors():
        export = write_export(
            folder,
            model_name=model.name,
            version=made.version,
            booster=files.model.read_bytes(),
            features=features,
            metadata={"libraries": library_versions(), "metrics": model.metrics, **origin},
            golden=model.golden,
            drift_folder=files.drift,
        )
    return Registration(model.name, made.version, export, uri_of(export, storage), made.run_id, model.metrics, origin)
