"""The Kubeflow Pipelines adapter of `train_xgboost`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def train_xgboost(
    train: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    label: str,
    trees: int = 200,
    max_depth: int = 6,
    learning_rate: float = 0.05,
    subsample: float = 0.8,
    colsample_bytree: float = 0.6,
    min_child_weight: float = 10.0,
    early_stopping_rounds: int = 30,
    validation_share: float = 0.1,
    class_weight: str = "none",
    settings: str = "",
    seed: int = 0,
    threads: int = 1,
) -> int:
    """Train a gradient-boosted classifier for a label that is 0 or 1.

    Early stopping on the newest training rows finds the number of trees; the model is then trained on all rows with that number. The saved
    model has base_score 0.5 and no feature names, so that XGBoost 2.1 and later versions predict the same with it.

    With class_weight, rows with label 1 weigh more in training, which on its own would make every probability too high. The model is
    corrected for this: the metrics show the mean probability of the newest rows before and after the correction, and the share of label 1
    among them.

    Args:
        train: The training rows, in time order.
        features: The feature artifact.
        model: The booster as UBJSON.
        metrics: Trees, rows, the weight of label 1, and how well the newest rows were predicted before the model was trained on them.
        label: The column to predict.
        trees: Maximum number of trees.
        max_depth: Maximum depth of a tree.
        learning_rate: Shrinkage of each tree, above 0 and at most 1.
        subsample: Share of the rows that each tree is trained on.
        colsample_bytree: Share of the features that each tree is trained on.
        min_child_weight: Smallest sum of second derivatives in a leaf.
        early_stopping_rounds: Number of trees without improvement after which training stops; 0 trains all trees.
        validation_share: Share of the rows, the newest, that early stopping is judged on.
        class_weight: Weight of a row with label 1: `none`, `balanced` (both labels weigh the same in total), or a number above 0.
        settings: What `tune` returned: a JSON object of inputs of this step, which override the ones given here; empty overrides none.
        seed: Seed of all randomness.
        threads: Maximum number of threads to train with, never more than there are cores. One is fastest on a shared machine.

    Returns:
        The number of trees.
    """
    import json
    from dataclasses import asdict
    from pathlib import Path

    from headgate_components.step import step
    from headgate_components.threads import wait_passively

    wait_passively()  # before XGBoost is loaded
    from headgate_components.training.settings import Settings, overridden
    from headgate_components.training.train_xgboost.logic import train as run

    with step("train_xgboost"):
        given = Settings(
            trees=trees,
            max_depth=max_depth,
            learning_rate=learning_rate,
            subsample=subsample,
            colsample_bytree=colsample_bytree,
            min_child_weight=min_child_weight,
            early_stopping_rounds=early_stopping_rounds,
            validation_share=validation_share,
            class_weight=class_weight,
            seed=seed,
            threads=threads,
        )
        used = overridden(given, settings)
        trained = run(Path(train.path), Path(features.path), Path(model.path), label=label, settings=used)
        for name, value in trained.metrics.items():
            metrics.log_metric(name, value)
        Path(metrics.path).write_text(json.dumps(trained.metrics, indent=1), encoding="utf-8")  # without a file the local cache never hits
    model.metadata.update(framework="xgboost", trees=trained.trees, rows=trained.rows, settings=json.dumps(asdict(used)))
    if trained.newest is not None:
        model.metadata["validation_log_loss"] = trained.newest.log_loss
    return trained.trees
