"""The Kubeflow Pipelines adapter of `ablate`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def ablate(
    train: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    table: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    label: str,
    groups: str = "",
    trees: int = 200,
    max_depth: int = 6,
    learning_rate: float = 0.05,
    class_weight: str = "none",
    settings: str = "",
    seconds: int = 120,
    seed: int = 0,
    threads: int = 1,
    model: dsl.Input[dsl.Model] = None,
) -> None:
    """Show how much the features contribute: the model without each of them, next to baselines that it should beat.

    Baselines are the share of label 1, the best single feature (chosen on training rows) and a logistic regression. All models learn from
    the training rows and are judged on the evaluation rows; differences from the full model are paired row by row.

    Args:
        train: The training rows, in time order.
        evaluation: The evaluation rows.
        features: The feature artifact.
        table: Every model with its metrics and its difference from the full one, as JSON.
        report: The same, as one HTML page.
        label: The label column.
        groups: JSON that maps names to features, such as {"weather": ["temp", "wind"]}: trains the model without each
            group, and on each group alone. Empty
            leaves out one feature at a time, the most important first and at most 40.
        trees: Maximum number of trees; early stopping of the full model finds the number, and all other models get the same.
        max_depth: Depth of a tree.
        learning_rate: Shrinkage of each tree.
        class_weight: As for train_xgboost.
        settings: What `tune` returned; overrides the settings given here and those of the model.
        seconds: Seconds after which no further model is trained; the report names what was left out.
        seed: Seed of all randomness.
        threads: Maximum number of threads to train with, never more than there are cores.
        model: The model from train_xgboost; its settings override those given here, so that the full model is the same as this one.
    """
    from pathlib import Path

    from headgate_components.step import step
    from headgate_components.threads import wait_passively

    wait_passively()  # before XGBoost is loaded
    from headgate_components.evaluation.ablate.logic import ablate as run
    from headgate_components.training.settings import Settings, overridden

    with step("ablate"):
        given = Settings(
            trees=trees, max_depth=max_depth, learning_rate=learning_rate, class_weight=class_weight, seed=seed, threads=threads
        )
        of_model = overridden(given, model.metadata.get("settings", "") if model else "")
        found = run(
            Path(train.path),
            Path(evaluation.path),
            Path(features.path),
            label=label,
            settings=overridden(of_model, settings),
            groups=groups,
            seconds=seconds,
            table=Path(table.path),
            report=Path(report.path),
        )
    table.metadata.update(models=len(found.lines), left_out=len(found.left_out))
