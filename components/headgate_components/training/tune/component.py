"""The Kubeflow Pipelines adapter of `tune`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def tune(
    train: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    study: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    label: str,
    time: str = "",
    trials: int = 20,
    seconds: int = 300,
    folds: int = 3,
    trees: int = 400,
    max_depth: int = 6,
    learning_rate: float = 0.05,
    subsample: float = 0.8,
    colsample_bytree: float = 0.6,
    min_child_weight: float = 10.0,
    class_weight: str = "none",
    seed: int = 0,
    threads: int = 1,
    storage: str = "",
) -> str:
    """Look for good training settings: Optuna inside one step, cross-validated in the order of time.

    Each trial grows one model a fold, a tree at a time and all folds at once, until the mean log loss no longer falls. A trial that is
    worse than half of the others at the same progress is given up. The first trial has the settings given here, so the outcome is never
    worse than those on these folds. With a storage, a step that was killed goes on where it was, and tries what it would have tried.

    Args:
        train: The training rows, in time order.
        features: The feature artifact.
        study: The best settings and every trial as JSON.
        report: All trials as one HTML page.
        label: The column to predict.
        time: The column the rows must be ordered by; they are refused if they are not. Empty skips the check.
        trials: Most trials, those before a restart counted.
        seconds: Most seconds, those of finished trials before a restart counted. At least one trial is made.
        folds: Blocks of later rows that each trial is judged on, 2 to 10.
        trees: Largest number of trees of a trial; it is handed on.
        max_depth: Depth of a tree in the first trial.
        learning_rate: What a tree's answer is shrunk by in the first trial.
        subsample: Share of the rows that a tree sees in the first trial.
        colsample_bytree: Share of the features that a tree sees in the first trial.
        min_child_weight: Least weight of a leaf in the first trial.
        class_weight: As for train_xgboost; the log loss then weighs rows alike.
        seed: Seed of all randomness.
        threads: Most threads to train with, never more than there are cores.
        storage: A file on a mounted volume, or a sqlite://, postgresql:// or mysql:// URL, that remembers the trials of one step at a time.

    Returns:
        The best settings as JSON, for the input `settings` of train_xgboost.
    """
    import sys
    from pathlib import Path

    from headgate_components.step import step
    from headgate_components.threads import wait_passively

    wait_passively()  # before XGBoost is loaded
    from headgate_components.training.settings import Settings
    from headgate_components.training.tune.cancelling import cancellable
    from headgate_components.training.tune.logic import tune as run
    from headgate_components.training.tune.search import Budget

    def say(line: str) -> None:
        sys.stdout.write(f"headgate: tune: {line}\n")
        sys.stdout.flush()

    with step("tune"), cancellable() as cancelled:
        found = run(
            Path(train.path),
            Path(features.path),
            label=label,
            base=Settings(
                trees=trees,
                max_depth=max_depth,
                learning_rate=learning_rate,
                subsample=subsample,
                colsample_bytree=colsample_bytree,
                min_child_weight=min_child_weight,
                class_weight=class_weight,
                seed=seed,
                threads=threads,
            ),
            budget=Budget(trials, seconds),
            folds=folds,
            storage=storage,
            time=time,
            study_path=Path(study.path),
            report=Path(report.path),
            cancelled=cancelled,
            say=say,
        )
    study.metadata.update(trials=found.trials, log_loss=found.log_loss)
    return found.settings
