"""The Kubeflow Pipelines adapter of `train_xgboost`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def train_xgboost(
    train: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    label: str,
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
) -> int:
    """Train a gradient-boosted classifier of a label that is 0 or 1.

    Early stopping looks at the newest training rows and finds the number of trees; the model is then trained on all rows with it. The
    saved model has base_score 0.5 and no feature names, so that XGBoost 2.1 and later predict the same with it.

    Args:
        train: The training rows, in time order.
        features: The feature artifact.
        model: The booster as UBJSON.
        label: The column to predict.
        trees: Largest number of trees.
        max_depth: Depth of a tree.
        learning_rate: Shrinkage of each tree, above 0 and at most 1.
        subsample: Share of rows each tree sees.
        colsample_bytree: Share of features each tree sees.
        min_child_weight: Smallest sum of second derivatives in a leaf.
        early_stopping_rounds: Trees without improvement after which training stops; 0 trains all trees.
        validation_share: The newest share of the rows, on which early stopping looks.
        seed: Seed of all randomness.
        threads: Most threads to train with, never more than there are cores. One is fastest on a shared machine.

    Returns:
        The number of trees.
    """
    import json
    import os
    from dataclasses import asdict
    from pathlib import Path

    from headgate_components.step import step

    # Read when XGBoost is loaded: its threads otherwise spin while they wait, ten times slower where others compute, too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from headgate_components.training.train_xgboost.logic import Settings
    from headgate_components.training.train_xgboost.logic import train as run

    settings = Settings(
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
    )
    with step("train_xgboost"):
        trained = run(Path(train.path), Path(features.path), Path(model.path), label=label, settings=settings)
    model.metadata.update(framework="xgboost", trees=trained.trees, rows=trained.rows, settings=json.dumps(asdict(settings)))
    if trained.validation_log_loss is not None:
        model.metadata["validation_log_loss"] = trained.validation_log_loss
    return trained.trees
