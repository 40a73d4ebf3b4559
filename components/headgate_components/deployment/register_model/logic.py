"""Registers a model in MLflow, exports it to the storage that KServe reads, and only then moves the alias to it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_components import models
from headgate_components.deployment.register_model.lineage import Lineage, artifact_digests
from headgate_components.deployment.register_model.registry import Registry, RunRecord
from headgate_components.registered import STORAGE_TAG, folder_of, uri_of
from headgate_components.versions import library_versions
from headgate_serving.model import write_export
from headgate_serving.model.layout import GOLDEN


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
            **self.origin,
        }


def register(artifacts: Artifacts, lineage: Lineage, *, model_name: str, storage: str, registry: Registry, alias: str) -> Registration:
    """Registers, exports, tags, and sets the alias last: whoever follows it finds everything in place.

    Raises:
        StepError: the registry or the storage refuses, or an artifact cannot be read.
    """
    folder = folder_of(storage, "storage")
    metrics = json.loads(artifacts.metrics.read_text(encoding="utf-8"))
    golden = json.loads(artifacts.golden.read_text(encoding="utf-8"))
    content = artifacts.model.read_bytes()
    features = models.read_features(artifacts.features)
    digests = artifact_digests(artifacts.model, artifacts.features, artifacts.drift)
    tags = lineage.tags(digests)
    record = RunRecord(
        parameters={**lineage.settings, "train_start": lineage.train_start, "train_end": lineage.train_end},
        metrics=metrics,
        dataset=lineage.dataset,
        snapshot=lineage.snapshot,
        git_commit=lineage.git_commit,
        tags=tags,
    )
    booster = models.read_model(artifacts.model)
    registered = registry.register(model_name, booster, record, inputs=len(features.names), files=[artifacts.features, artifacts.golden])
    origin = lineage.to_json(digests, registered.run_id)
    with models.model_errors():
        export = write_export(
            folder,
            model_name=model_name,
            version=registered.version,
            booster=content,
            features=features,
            metadata={"libraries": library_versions(), "metrics": metrics, **origin},
            golden=golden,
            drift_folder=artifacts.drift,
        )
    registration = Registration(model_name, registered.version, export, uri_of(export, storage), registered.run_id, metrics, origin)
    parity = {"headgate.golden": json.dumps(golden, separators=(",", ":"), sort_keys=True)}
    registry.publish(model_name, registered.version, {**tags, **parity, STORAGE_TAG: registration.uri}, alias)
    return registration
