"""The batch_score pipeline: a registered version, a Parquet file of any size, and a file of scores."""

from kfp import dsl

from headgate_components.deployment.batch_score.component import batch_score as score
from headgate_components.deployment.fetch_model.component import fetch_model
from headgate_pipelines.defaults import KUBEFLOW_API, MODEL_NAME, RECIPE, SOURCE, TRACKING_URI, VOLUME, on_volume
from headgate_pipelines.shared_steps import summarized


@dsl.pipeline(name="batch-score")  # type: ignore[untyped-decorator]
def batch_score(
    source: str = SOURCE,
    target: str = f"{VOLUME}/scores/flights-2013.parquet",
    id: str = RECIPE.columns.id,  # noqa: A002 - the name users give
    model_name: str = MODEL_NAME,
    version: str = "champion",
    tracking_uri: str = TRACKING_URI,
    batch_rows: int = 65_536,
    kubeflow_api: str = KUBEFLOW_API,
) -> None:
    """Score a Parquet file with a registered version, in bounded memory; no row is skipped.

    Args:
        source: The rows: a path or URI of a .parquet file.
        target: File to write the ids and probabilities to; it appears only once it is complete. Empty keeps them only as an artifact.
        id: Column that identifies a row.
        model_name: Name in the registry.
        version: Version number, or an alias that points at the version.
        tracking_uri: The MLflow server.
        batch_rows: Rows to score at a time.
        kubeflow_api: Address of the Kubeflow Pipelines API, from which the summary gets the steps.
    """
    with summarized("batch-score", kubeflow_api):
        fetched = on_volume(fetch_model(model_name=model_name, tracking_uri=tracking_uri, version=version)).set_caching_options(False)
        # Not cached: the rows behind a path change without a word, and the target may be gone.
        features, model = fetched.outputs["features"], fetched.outputs["model"]
        scored = score(features=features, model=model, source=source, id=id, target=target, batch_rows=batch_rows)
        on_volume(scored).set_caching_options(False)
