"""The MLflow side of registering.

Traps it steps around: without a signature and requirements MLflow infers both in a subprocess (10 s); an experiment without an absolute
artifact location writes wherever the process happens to run; starting the run that Kubeflow Pipelines owns would end it; stages are
deprecated, aliases are not.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xgboost as xgb

from headgate_components.registered import SQLITE, STORAGE_TAG, ModelVersion, registry_errors  # isort: skip - it says what MLflow reads when it is imported

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Param
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

OUTER_RUN = "MLFLOW_RUN_ID"
"""Set by Kubeflow Pipelines' own MLflow integration: the run of this task, which must be left running."""

DIGEST_LENGTH = 36
"""The longest dataset digest MLflow stores; the whole one is a tag of the run."""


_SEARCHED = ("headgate.modelDigest", "headgate.snapshot")
"""Tags that MLflow is asked to search by: digests, which need no quoting; the others are compared here."""


@dataclass(frozen=True)
class RunRecord:
    """What a run says about a model."""

    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    dataset: str
    snapshot: str
    git_commit: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the registry and the run that made it."""

    version: str
    run_id: str


class Registry:
    """An MLflow tracking server or database, with one experiment in it."""

    def __init__(self, tracking_uri: str, experiment: str) -> None:
        _make_database_folder(tracking_uri)
        with registry_errors(tracking_uri):
            mlflow.set_tracking_uri(tracking_uri)
            self._uri = tracking_uri
            self._client = MlflowClient(tracking_uri)
            self._experiment_id = self._experiment(experiment)

    def versions_with(self, model_name: str, tags: Mapping[str, str]) -> list[ModelVersion]:
        """The versions of a model that carry all these tags and say where their export is, the newest first.

        Raises:
            StepError: MLflow refuses or cannot be reached.
        """
        wanted = " and ".join(f"tags.`{key}` = '{tags[key]}'" for key in _SEARCHED if key in tags)
        with registry_errors(self._uri):
            found = self._client.search_model_versions(wanted)
        versions = [
            ModelVersion(one.name, str(one.version), one.tags[STORAGE_TAG], dict(one.tags))
            for one in found
            if one.name == model_name and STORAGE_TAG in one.tags and tags.items() <= one.tags.items()
        ]
        return sorted(versions, key=lambda version: int(version.version), reverse=True)

    def register(
        self, model_name: str, booster: xgb.Booster, record: RunRecord, *, inputs: int, files: Sequence[Path]
    ) -> RegisteredVersion:
        """Logs a run with the model and registers the model as a new version, without an alias yet.

        Raises:
            StepError: MLflow refuses or cannot be reached.
        """
        with registry_errors(self._uri):
            run_id = self._create_run(model_name, record)
            with mlflow.start_run(run_id=run_id):
                for path in files:
                    mlflow.log_artifact(str(path))
                logged = mlflow.xgboost.log_model(
                    booster,
                    name="model",
                    signature=_signature(inputs),
                    pip_requirements=[f"xgboost=={xgb.__version__}"],
                    registered_model_name=model_name,
                )
        return RegisteredVersion(version=str(logged.registered_model_version), run_id=run_id)

    def publish(self, model_name: str, version: str, tags: Mapping[str, str], alias: str) -> None:
        """Tags a version and then lets the alias name it.

        Raises:
            StepError: MLflow refuses or cannot be reached.
        """
        with registry_errors(self._uri):
            for key, value in tags.items():
                self._client.set_model_version_tag(model_name, version, key, value)
            self._client.set_registered_model_alias(model_name, alias, version)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=_artifact_location(self._uri)))

    def _create_run(self, model_name: str, record: RunRecord) -> str:
        tags = dict(record.tags)
        if record.git_commit:
            tags["mlflow.source.git.commit"] = record.git_commit
        if os.environ.get(OUTER_RUN):
            tags["mlflow.parentRunId"] = os.environ[OUTER_RUN]
        run_id = str(self._client.create_run(self._experiment_id, tags=tags, run_name=model_name).info.run_id)
        parameters = [Param(key, str(value)) for key, value in record.parameters.items()]
        self._client.log_batch(run_id, params=parameters)
        for name, value in record.metrics.items():
            self._client.log_metric(run_id, name, value)
        digest = record.snapshot.removeprefix("sha256:")[:DIGEST_LENGTH]
        dataset = Dataset(record.dataset, digest, "uri", json.dumps({"uri": record.dataset}))
        self._client.log_inputs(run_id, datasets=[DatasetInput(dataset)])
        return run_id


def _signature(inputs: int) -> ModelSignature:
    matrix = TensorSpec(np.dtype(np.float32), (-1, inputs))
    return ModelSignature(inputs=Schema([matrix]), outputs=Schema([TensorSpec(np.dtype(np.float32), (-1,))]))


def _make_database_folder(tracking_uri: str) -> None:
    if tracking_uri.startswith(SQLITE):
        Path(tracking_uri.removeprefix(SQLITE)).absolute().parent.mkdir(parents=True, exist_ok=True)


def _artifact_location(tracking_uri: str) -> str | None:
    """Beside a SQLite file; a server knows its own."""
    if not tracking_uri.startswith(SQLITE):
        return None
    return (Path(tracking_uri.removeprefix(SQLITE)).absolute().parent / "mlflow-artifacts").as_uri()
