"""The training pipeline: from a file of rows to a registered, exported model, or to a reason why not.

The gates are steps of their own, so that reports of refused data and refused models are kept. Registering is never cached: its inputs
do not show that somebody deleted the version.
"""

from kfp import dsl

from headgate_components.data_processing.build_features.component import build_features
from headgate_components.data_processing.ingest.component import ingest
from headgate_components.data_processing.split.component import split
from headgate_components.data_processing.validate_data.component import validate_data
from headgate_components.deployment.fit_drift_reference.component import fit_drift_reference
from headgate_components.deployment.make_golden.component import make_golden
from headgate_components.deployment.register_model.component import register_model
from headgate_components.evaluation.evaluate.component import evaluate
from headgate_components.evaluation.gate.component import gate
from headgate_components.training.train_xgboost.component import train_xgboost


@dsl.pipeline(name="training")  # type: ignore[untyped-decorator]
def training(
    source: str,
    schema: str,
    time: str,
    label: str,
    id: str,  # noqa: A002 - the name users give
    categories: list[str],
    numbers: list[str],
    train_start: str,
    train_end: str,
    evaluate_start: str,
    evaluate_end: str,
    model_name: str,
    storage: str,
    tracking_uri: str,
    digest: str = "",
    unknown: str = "other",
    max_categories: int = 0,
    trees: int = 200,
    max_depth: int = 6,
    learning_rate: float = 0.05,
    subsample: float = 0.8,
    colsample_bytree: float = 0.6,
    min_child_weight: float = 10.0,
    early_stopping_rounds: int = 30,
    validation_share: float = 0.1,
    seed: int = 0,
    threads: int = 1,
    minimum_roc_auc: float = 0.0,
    minimum_pr_auc: float = 0.0,
    drift_excluded: list[str] = [],  # noqa: B006 - kfp takes plain literals only
    drift_window_rows: int = 500,
    golden_rows: int = 20,
    git_commit: str = "",
    experiment: str = "headgate",
    alias: str = "candidate",
) -> dsl.Artifact:
    """Train a classifier on one period, evaluate it on a later one, and register and export it if it is good enough."""
    ingested = ingest(source=source, digest=digest)
    validated = validate_data(table=ingested.outputs["table"], schema=schema)
    valid = gate(problems=validated.outputs["Output"], subject="the data")

    parts = split(
        table=ingested.outputs["table"],
        categories=categories,
        numbers=numbers,
        time=time,
        label=label,
        id=id,
        train_start=train_start,
        train_end=train_end,
        evaluate_start=evaluate_start,
        evaluate_end=evaluate_end,
    ).after(valid)
    built = build_features(
        train=parts.outputs["train"],
        evaluation=parts.outputs["evaluation"],
        categories=categories,
        numbers=numbers,
        unknown=unknown,
        max_categories=max_categories,
    )
    features, train_rows, evaluation_rows = (built.outputs[name] for name in ("features", "train_rows", "evaluation_rows"))

    model = train_xgboost(
        train=train_rows,
        features=features,
        label=label,
        trees=trees,
        max_depth=max_depth,
        learning_rate=learning_rate,
        subsample=subsample,
        colsample_bytree=colsample_bytree,
        min_child_weight=min_child_weight,
        early_stopping_rounds=early_stopping_rounds,
        validation_share=validation_share,
        seed=seed,
        threads=threads,
    ).outputs["model"]
    evaluated = evaluate(
        evaluation=evaluation_rows,
        features=features,
        model=model,
        label=label,
        minimum_roc_auc=minimum_roc_auc,
        minimum_pr_auc=minimum_pr_auc,
    )
    good_enough = gate(problems=evaluated.outputs["Output"], subject="the model")

    golden = make_golden(rows=evaluation_rows, features=features, model=model, count=golden_rows).after(good_enough)
    drift = fit_drift_reference(
        train=train_rows, features=features, time=time, excluded=drift_excluded, window_rows=drift_window_rows, seed=seed
    ).after(good_enough)
    registered = register_model(
        model=model,
        features=features,
        golden=golden.outputs["golden"],
        reference=drift.outputs["reference"],
        metrics=evaluated.outputs["metrics"],
        model_name=model_name,
        storage=storage,
        tracking_uri=tracking_uri,
        dataset=source,
        snapshot=ingested.outputs["Output"],
        train_start=train_start,
        train_end=train_end,
        git_commit=git_commit,
        pipeline_run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        experiment=experiment,
        alias=alias,
    ).set_caching_options(False)
    return registered.outputs["registration"]
