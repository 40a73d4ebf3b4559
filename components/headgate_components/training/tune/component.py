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
    """Search for good training settings with Optuna inside one step, cross-validated in time order.

    Each trial trains one model per fold, all folds together and one tree at a time, until the mean log loss stops falling. A trial that is
    worse than half of the others at the same point is abandoned. The first trial uses the settings given here, so on these folds the result
    is never worse. With a storage, a step that was killed resumes where it stopped and runs the same trials it would have run.

    Args:
        train: The training rows, in time order.
        features: The feature artifact.
        study: The best settings and every trial, as JSON.
        report: All trials, as one HTML page.
        label: The column to predict.
        time: The column that the rows must be ordered by; rows out of order are refused. Empty skips the check.
        trials: Maximum number of trials, including those from before a restart.
        seconds: Maximum number of seconds, including those of trials finished before a restart. At least one trial is run.
        folds: Number of blocks of later rows that each trial is judged on, 2 to 10.
        trees: Maximum number of trees in a trial; also passed on in the best settings.
        max_depth: Maximum depth of a tree in the first trial.
        learning_rate: Shrinkage of each tree in the first trial.
        subsample: Share of the rows that each tree is trained on in the first trial.
        colsample_bytree: Share of the features that each tree is trained on in the first trial.
        min_child_weight: Smallest sum of second derivatives in a leaf in the first trial.
        class_weight: As for train_xgboost; the log loss is then weighted in the same way.
        seed: Seed of all randomness.
        threads: Maximum number of threads to train with, never more than there are cores.
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
