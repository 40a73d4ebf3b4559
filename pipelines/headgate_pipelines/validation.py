"""The validation pipeline: is a registered version still good enough on fresh rows, and at least as good as the champion?

It sets the alias that the operator follows, or withholds it: then the gate fails with the reasons, and the reports are kept. Made to be
scheduled, or to be run when labels of a new period are in.
"""

from typing import Any

from kfp import dsl

from headgate_components.data_processing.select_rows.component import select_rows
from headgate_components.deployment.fetch_model.component import fetch_model
from headgate_components.deployment.set_alias.component import set_alias
from headgate_components.evaluation.evaluate.component import evaluate
from headgate_components.evaluation.score_drift.component import score_drift
from headgate_pipelines.defaults import FRESH, KUBEFLOW_API, MODEL_NAME, RECIPE, SCHEMA, SOURCE, TRACKING_URI, on_volume
from headgate_pipelines.shared_steps import against_champion, checked_data, summarized


@dsl.pipeline(name="validation")  # type: ignore[untyped-decorator]
def validation(
    source: str = SOURCE,
    digest: str = "",
    schema: str = SCHEMA,
    time: str = RECIPE.columns.time,
    label: str = RECIPE.columns.label,
    id: str = RECIPE.columns.id,  # noqa: A002 - the name users give
    start: str = FRESH.start.isoformat(),
    end: str = FRESH.end.isoformat(),
    model_name: str = MODEL_NAME,
    version: str = "candidate",
    tracking_uri: str = TRACKING_URI,
    alias: str = "candidate",
    minimum_roc_auc: float = RECIPE.minimums.roc_auc,
    minimum_pr_auc: float = RECIPE.minimums.pr_auc,
    target: str = "",
    maximum_latency_ms: float = 0.0,
    slices: list[str] = [],  # noqa: B006 - kfp takes plain literals only
    champion_alias: str = "champion",
    champion_margin: float = 0.01,
    maximum_latency_ratio: float = 0.0,
    maximum_drift_share: float = 1.0,
    seed: int = 0,
    kubeflow_api: str = KUBEFLOW_API,
) -> None:
    """Validate a registered version on fresh rows (quality, drift, comparison with the champion), then set the alias or withhold it.

    Args:
        source: The fresh data: a path or URI of a .csv, .csv.gz or .parquet file.
        digest: Snapshot id that the data must have. Without it, a cached run does not notice that the data changed.
        schema: pandera schema of the data, as YAML.
        time: Column with the time at which a row's features were known.
        label: Label column, 0 or 1.
        id: Column that identifies a row.
        start: Start of the period to validate on, inclusive, ISO 8601, in the data's own time zone.
        end: End of the period, exclusive.
        model_name: Name in the registry.
        version: Version number, or an alias that points at the version.
        tracking_uri: The MLflow server.
        alias: Alias to point at the version if it passes.
        minimum_roc_auc: Smallest acceptable area under the ROC curve.
        minimum_pr_auc: Smallest acceptable average precision.
        target: An additional target, such as "recall >= 0.85 at precision >= 0.90"; none if empty.
        maximum_latency_ms: Largest median time to predict a single row, in milliseconds; 0 for no limit.
        slices: Columns to slice by, by value or by quartile; each slice is also evaluated on its own.
        champion_alias: Alias of the version to compare with.
        champion_margin: How much worse than the champion the model may be.
        maximum_latency_ratio: Largest ratio of the model's latency to the champion's; 0 for no limit.
        maximum_drift_share: Largest share of windows in which a feature may drift severely, 0 to 1; 1 only reports.
        seed: Seed of all randomness.
        kubeflow_api: Address of the Kubeflow Pipelines API, from which the summary gets the steps.
    """
    with summarized("validation", kubeflow_api):
        fetched = on_volume(fetch_model(model_name=model_name, tracking_uri=tracking_uri, version=version)).set_caching_options(False)
        features, model = fetched.outputs["features"], fetched.outputs["model"]
        ingested, valid = checked_data(source=source, digest=digest, schema=schema)
        ingested.after(fetched)  # no data are read for a version that is not there
        table = ingested.outputs["table"]
        rows = select_rows(table=table, features=features, time=time, label=label, id=id, start=start, end=end).after(valid).outputs["rows"]

        judged: dict[str, Any] = {"evaluation": rows, "features": features, "model": model, "label": label}
        evaluated = evaluate(
            **judged,
            minimum_roc_auc=minimum_roc_auc,
            minimum_pr_auc=minimum_pr_auc,
            target=target,
            maximum_latency_ms=maximum_latency_ms,
            slices=slices,
        )
        drift = score_drift(rows=rows, reference=fetched.outputs["reference"], maximum_share=maximum_drift_share)
        _, good_enough = against_champion(
            **judged,
            problems=evaluated.outputs["Output"],
            more_problems=drift.outputs["Output"],
            model_name=model_name,
            tracking_uri=tracking_uri,
            champion_alias=champion_alias,
            margin=champion_margin,
            maximum_latency_ratio=maximum_latency_ratio,
            seed=seed,
        )
        set_alias(model_name=model_name, version=fetched.outputs["Output"], tracking_uri=tracking_uri, alias=alias).after(
            good_enough
        ).set_caching_options(False)
