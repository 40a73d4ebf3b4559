"""The Kubeflow Pipelines adapter of `register_model`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def register_model(
    model: dsl.Input[dsl.Model],
    features: dsl.Input[dsl.Artifact],
    golden: dsl.Input[dsl.Artifact],
    reference: dsl.Input[dsl.Artifact],
    metrics: dsl.Input[dsl.Metrics],
    registration: dsl.Output[dsl.Artifact],
    model_name: str,
    storage: str,
    tracking_uri: str,
    dataset: str,
    snapshot: str,
    train_start: str,
    train_end: str,
    git_commit: str = "",
    pipeline_run: str = "",
    experiment: str = "headgate",
    alias: str = "candidate",
) -> str:
    """Register a model in MLflow, export it for serving, and point the alias at it.

    The export is a folder that is written once and never changed: model, features, golden set, drift reference, and metadata with the
    SHA-256 of each. Tags of the version hold the export's URI, the golden set and the model's lineage; the run has the lineage tags too.
    Registering the same model again, from the same data and settings, creates no new version: the existing one gets the alias. Never cache
    this step.

    Args:
        model: The trained booster.
        features: The feature artifact.
        golden: The golden set.
        reference: The drift reference.
        metrics: The metrics from evaluate.
        registration: Name, version, run, export, metrics and lineage as JSON.
        model_name: The name in the registry and in the path of requests.
        storage: Where serving pulls models from: a folder, a file:// URI, or pvc://<claim>/<folder> with the claim mounted at /mnt/<claim>.
        tracking_uri: The MLflow server, or sqlite:///<path> to work without one.
        dataset: Where the data came from.
        snapshot: The data's snapshot id.
        train_start: Start of the training period.
        train_end: End of the training period.
        git_commit: The commit of the code, if known.
        pipeline_run: The id of the pipeline run; pipelines pass dsl.PIPELINE_JOB_ID_PLACEHOLDER.
        experiment: The MLflow experiment; created if it does not exist.
        alias: The alias to set.

    Returns:
        The URI of the export.
    """
    import json
    from pathlib import Path

    from headgate_components.deployment.register_model.lineage import Lineage
    from headgate_components.deployment.register_model.logic import Artifacts, register
    from headgate_components.deployment.register_model.registry import Registry
    from headgate_components.step import step

    with step("register_model"):
        registered = register(
            Artifacts(
                model=Path(model.path),
                features=Path(features.path),
                golden=Path(golden.path),
                drift=Path(reference.path),
                metrics=Path(metrics.path),
            ),
            Lineage(
                dataset=dataset,
                snapshot=snapshot,
                train_start=train_start,
                train_end=train_end,
                git_commit=git_commit,
                settings=json.loads(model.metadata.get("settings", "{}")),
                rows=int(model.metadata.get("rows", 0)),
                pipeline_run=pipeline_run,
            ),
            model_name=model_name,
            storage=storage,
            registry=Registry(tracking_uri, experiment),
            alias=alias,
        )
        Path(registration.path).write_text(json.dumps(registered.to_json(), indent=1), encoding="utf-8")
    registration.metadata.update(version=registered.version, model_name=model_name, export_uri=registered.uri)
    return registered.uri
