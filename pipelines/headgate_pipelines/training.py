"""The training pipeline: from a file of rows to a registered, exported and, if asked for, deployed model, or to a reason why not.

- The gates are steps of their own, so that reports of refused data and refused models are kept.
- What looks at or changes the registry, a repository or a cluster is never cached: its inputs do not show that somebody moved an alias or
  deleted a version. Everything else is, so a second run with the same data trains nothing.
"""

from typing import Any

from kfp import dsl

from headgate_components.data_processing.build_features.component import build_features
from headgate_components.data_processing.split.component import split
from headgate_components.deployment.deploy_model.component import deploy_model
from headgate_components.deployment.fit_drift_reference.component import fit_drift_reference
from headgate_components.deployment.make_golden.component import make_golden
from headgate_components.deployment.model_card.component import model_card
from headgate_components.deployment.register_model.component import register_model
from headgate_components.evaluation.ablate.component import ablate
from headgate_components.evaluation.evaluate.component import evaluate
from headgate_components.evaluation.explain.component import explain
from headgate_components.evaluation.fairness.component import fairness
from headgate_components.training.given_settings.component import given_settings
from headgate_components.training.train_xgboost.component import train_xgboost
from headgate_components.training.tune.component import tune
from headgate_pipelines.defaults import EVALUATE, KUBEFLOW_API, MODEL_NAME, RECIPE, SCHEMA, SOURCE, STORAGE, TRACKING_URI, TRAIN, on_volume
from headgate_pipelines.shared_steps import against_champion, checked_data, summarized

# The docstring's Args are what the form in the UI says beside each field.


@dsl.pipeline(name="training")  # type: ignore[untyped-decorator]
def training(
    source: str = SOURCE,
    digest: str = "",
    schema: str = SCHEMA,
    time: str = RECIPE.columns.time,
    label: str = RECIPE.columns.label,
    id: str = RECIPE.columns.id,  # noqa: A002 - the name users give
    categories: list[str] = RECIPE.columns.categories,
    numbers: list[str] = RECIPE.columns.numbers,
    train_start: str = TRAIN.start.isoformat(),
    train_end: str = TRAIN.end.isoformat(),
    evaluate_start: str = EVALUATE.start.isoformat(),
    evaluate_end: str = EVALUATE.end.isoformat(),
    unknown: str = "other",
    max_categories: int = 0,
    tune_trials: int = 0,
    tune_seconds: int = 300,
    trees: int = RECIPE.model.trees,
    max_depth: int = RECIPE.model.max_depth,
    learning_rate: float = RECIPE.model.learning_rate,
    subsample: float = RECIPE.model.subsample,
    colsample_bytree: float = RECIPE.model.colsample_bytree,
    min_child_weight: float = RECIPE.model.min_child_weight,
    early_stopping_rounds: int = RECIPE.model.early_stopping_rounds,
    validation_share: float = RECIPE.model.validation_share,
    class_weight: str = "none",
    seed: int = 0,
    threads: int = 1,
    minimum_roc_auc: float = RECIPE.minimums.roc_auc,
    minimum_pr_auc: float = RECIPE.minimums.pr_auc,
    target: str = "",
    maximum_latency_ms: float = 0.0,
    slices: list[str] = [],  # noqa: B006 - kfp takes plain literals only
    fairness_groups: list[str] = [],  # noqa: B006
    maximum_difference: float = 0.0,
    champion_alias: str = "champion",
    champion_margin: float = 0.01,
    maximum_latency_ratio: float = 0.0,
    ablation: bool = False,
    drift_excluded: list[str] = RECIPE.drift.excluded,
    drift_window_rows: int = RECIPE.drift.window_rows,
    drift_window_hours: float = RECIPE.drift.window_hours,
    drift_detector: str = RECIPE.drift.detector,
    golden_rows: int = 20,
    model_name: str = MODEL_NAME,
    storage: str = STORAGE,
    tracking_uri: str = TRACKING_URI,
    experiment: str = "headgate",
    alias: str = "candidate",
    git_commit: str = "",
    owner: str = "",
    intended_use: str = "",
    limits: str = "",
    deploy: str = "",
    deploy_file: str = "",
    deploy_repository: str = "",
    deploy_remote: str = "",
    deploy_namespace: str = "default",
    deploy_base: str = "",
    deploy_server: str = "",
    deploy_token_file: str = "",
    deploy_ca_file: str = "",
    deploy_wait_seconds: float = 0.0,
    kubeflow_api: str = KUBEFLOW_API,
) -> None:
    """Train a classifier on one period, evaluate it on a later one, and register, export and deploy it if it is good enough.

    Args:
        source: The data: a path or URI of a .csv, .csv.gz or .parquet file.
        digest: Snapshot id that the data must have. Without it, a cached run does not notice that the data changed.
        schema: pandera schema of the data, as YAML.
        time: Column with the time at which a row's features were known.
        label: Column to predict, 0 or 1.
        id: Column that identifies a row.
        categories: Features that are strings.
        numbers: Features that are numbers.
        train_start: Start of the training period, inclusive, ISO 8601, in the data's own time zone.
        train_end: End of the training period, exclusive.
        evaluate_start: Start of the evaluation period, inclusive; not before train_end.
        evaluate_end: End of the evaluation period, exclusive.
        unknown: What serving does with categories it has never seen: other or error.
        max_categories: How many categories to keep per feature, the most frequent first; 0 keeps all.
        tune_trials: Number of trials in the search for better settings; 0 trains with the settings below.
        tune_seconds: Maximum number of seconds to search.
        trees: Maximum number of trees.
        max_depth: Maximum depth of a tree.
        learning_rate: Shrinkage of each tree.
        subsample: Share of the rows that each tree is trained on.
        colsample_bytree: Share of the features that each tree is trained on.
        min_child_weight: Smallest sum of second derivatives in a leaf.
        early_stopping_rounds: Number of trees without improvement after which training stops; 0 trains all trees.
        validation_share: Share of the training rows, the newest, that early stopping is judged on.
        class_weight: Weight of rows with label 1: none, balanced or a number.
        seed: Seed of all randomness.
        threads: Maximum number of threads to train with.
        minimum_roc_auc: Smallest acceptable area under the ROC curve.
        minimum_pr_auc: Smallest acceptable average precision.
        target: An additional target, such as "recall >= 0.85 at precision >= 0.90"; none if empty.
        maximum_latency_ms: Largest median time to predict a single row, in milliseconds; 0 for no limit.
        slices: Columns to slice by, by value or by quartile; each slice is also evaluated on its own.
        fairness_groups: Columns that put rows into groups, which are compared for fairness.
        maximum_difference: Largest allowed difference between groups; 0 for no limit.
        champion_alias: Alias of the version to beat.
        champion_margin: How much worse than the champion the model may be.
        maximum_latency_ratio: Largest ratio of the model's latency to the champion's; 0 for no limit.
        ablation: Whether to also show how much the features contribute.
        drift_excluded: Features that never raise an alarm, such as seasonal ones.
        drift_window_rows: Rows in each window that drift is judged on.
        drift_window_hours: Hours after which a window ends even with fewer rows; 0 sets no limit.
        drift_detector: Test that decides whether a window differs: tabular, ks, cvm, chi-square or classifier.
        golden_rows: Number of rows in the golden set.
        model_name: Name in the registry and in the path of requests.
        storage: Where serving pulls models from: pvc://claim/folder, a folder or a file:// URI.
        tracking_uri: The MLflow server.
        experiment: The MLflow experiment.
        alias: Alias that the new version gets.
        git_commit: Commit of the code, if known.
        owner: Who is responsible for the model; for the model card.
        intended_use: What the model is for; for the model card.
        limits: What the model must not be used for; for the model card.
        deploy: How to hand the version to the operator: file, git or apply; empty leaves it to an operator that follows the alias.
        deploy_file: Manifest file to write; with git, its path in the working tree.
        deploy_repository: Folder of the git working tree.
        deploy_remote: Git remote to push to; empty pushes nothing.
        deploy_namespace: Namespace of the ModelDeployment.
        deploy_base: Manifest to start from, as YAML; sensible defaults if empty.
        deploy_server: Address of the Kubernetes API server; that of the pod's own cluster if empty.
        deploy_token_file: File with the token for the API server.
        deploy_ca_file: File with the certificate authority that signed the API server's certificate.
        deploy_wait_seconds: Seconds to wait for the verdict on an applied version; 0 does not wait.
        kubeflow_api: Address of the Kubeflow Pipelines API, from which the summary gets the steps.
    """
    with summarized("training", kubeflow_api):
        ingested, valid = checked_data(source=source, digest=digest, schema=schema)
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

        with dsl.If(tune_trials > 0, name="tuned"):
            tuned = tune(
                train=train_rows,
                features=features,
                label=label,
                time=time,
                trials=tune_trials,
                seconds=tune_seconds,
                max_depth=max_depth,
                learning_rate=learning_rate,
                subsample=subsample,
                colsample_bytree=colsample_bytree,
                min_child_weight=min_child_weight,
                class_weight=class_weight,
                seed=seed,
                threads=threads,
            )
        with dsl.Else(name="as-given"):
            given = given_settings()
        settings = dsl.OneOf(tuned.outputs["Output"], given.output)

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
            class_weight=class_weight,
            settings=settings,
            seed=seed,
            threads=threads,
        ).outputs["model"]

        judged: dict[str, Any] = {"evaluation": evaluation_rows, "features": features, "model": model}
        evaluated = evaluate(
            **judged,
            label=label,
            minimum_roc_auc=minimum_roc_auc,
            minimum_pr_auc=minimum_pr_auc,
            target=target,
            maximum_latency_ms=maximum_latency_ms,
            slices=slices,
        )
        fair = fairness(**judged, label=label, groups=fairness_groups, maximum_difference=maximum_difference)
        explained = explain(**judged, seed=seed)
        with dsl.If(ablation == True, name="ablation"):  # noqa: E712 - kfp compares parameters, it does not ask for their truth
            ablate(train=train_rows, evaluation=evaluation_rows, features=features, model=model, label=label, seed=seed, threads=threads)
        compared, good_enough = against_champion(
            **judged,
            problems=evaluated.outputs["Output"],
            more_problems=fair.outputs["Output"],
            label=label,
            model_name=model_name,
            tracking_uri=tracking_uri,
            champion_alias=champion_alias,
            margin=champion_margin,
            maximum_latency_ratio=maximum_latency_ratio,
            seed=seed,
        )

        golden = make_golden(rows=evaluation_rows, features=features, model=model, count=golden_rows).after(good_enough)
        drift = fit_drift_reference(
            train=train_rows,
            features=features,
            time=time,
            excluded=drift_excluded,
            window_rows=drift_window_rows,
            window_hours=drift_window_hours,
            detector=drift_detector,
            expected_shift=compared.outputs["prediction_shift"],
            seed=seed,
            model=model,
            evaluation=evaluation_rows,
        ).after(good_enough)
        registered = on_volume(
            register_model(
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
            )
        ).set_caching_options(False)
        model_card(
            registration=registered.outputs["registration"],
            metrics=evaluated.outputs["metrics"],
            fairness=fair.outputs["metrics"],
            comparison=compared.outputs["comparison"],
            importance=explained.outputs["importance"],
            owner=owner,
            intended_use=intended_use,
            limits=limits,
        )
        with dsl.If(deploy != "", name="deploy"):
            on_volume(
                deploy_model(
                    registration=registered.outputs["registration"],
                    golden=golden.outputs["golden"],
                    way=deploy,
                    file=deploy_file,
                    repository=deploy_repository,
                    remote=deploy_remote,
                    namespace=deploy_namespace,
                    base=deploy_base,
                    api_server=deploy_server,
                    token_file=deploy_token_file,
                    ca_file=deploy_ca_file,
                    wait_seconds=deploy_wait_seconds,
                )
            ).set_caching_options(False)
