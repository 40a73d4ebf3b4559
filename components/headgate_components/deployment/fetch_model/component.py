"""The Kubeflow Pipelines adapter of `fetch_model`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def fetch_model(
    model: dsl.Output[dsl.Model],
    features: dsl.Output[dsl.Artifact],
    reference: dsl.Output[dsl.Artifact],
    model_name: str,
    tracking_uri: str,
    version: str = "candidate",
) -> str:
    """Fetch a registered version for other steps: model, features and drift reference, checked against the hashes in its export.

    Never cache this step: an alias can move.

    Args:
        model: The booster as UBJSON.
        features: The feature artifact.
        reference: A folder with the drift reference; empty if the version has none.
        model_name: The name in the registry.
        tracking_uri: The MLflow server, or sqlite:///<path>.
        version: The version's number, or an alias such as candidate or champion.

    Returns:
        The version's number.
    """
    from pathlib import Path

    from headgate_components.deployment.fetch_model.logic import Parts, fetch
    from headgate_components.step import step

    with step("fetch_model"):
        found = fetch(tracking_uri, model_name, version, Parts(Path(model.path), Path(features.path), Path(reference.path)))
    model.metadata.update(model_name=model_name, version=found.version, export_uri=found.uri)
    return found.version
