"""The Kubeflow Pipelines adapter of `build_features`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def build_features(
    train: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Output[dsl.Artifact],
    train_rows: dsl.Output[dsl.Dataset],
    evaluation_rows: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    categories: list[str],
    numbers: list[str],
    unknown: str = "other",
    max_categories: int = 0,
) -> None:
    """Learn the feature artifact from training rows; serving encodes requests with the same artifact and code.

    Args:
        train: The training rows.
        evaluation: The evaluation rows.
        features: The feature artifact: names, types, categories, and what to do with unknown categories.
        train_rows: The training rows that the artifact can encode.
        evaluation_rows: The evaluation rows that the artifact can encode.
        report: How far each feature shifted between the training and the evaluation rows, as one HTML page.
        categories: The features that are strings.
        numbers: The features that are numbers.
        unknown: How to treat unknown categories: `other` (they share a code of their own) or `error` (serving refuses them, and rows
            with one are dropped here).
        max_categories: How many categories to keep per feature, the most frequent first; 0 keeps all.
    """
    from pathlib import Path

    from headgate_components.data_processing.build_features.logic import Parts
    from headgate_components.data_processing.build_features.logic import build_features as run
    from headgate_components.data_processing.build_features.report import write_report
    from headgate_components.step import step

    with step("build_features"):
        kept = Parts(Path(train_rows.path), Path(evaluation_rows.path))
        built = run(
            Parts(Path(train.path), Path(evaluation.path)),
            kept,
            Path(features.path),
            categories=categories,
            numbers=numbers,
            unknown=unknown,
            max_categories=max_categories,
        )
        write_report(kept, built, Path(report.path))
    features.metadata.update(features=len(built.features.names), dropped_rows=built.dropped)
    train_rows.metadata.update(rows=built.train_rows)
    evaluation_rows.metadata.update(rows=built.evaluation_rows)
