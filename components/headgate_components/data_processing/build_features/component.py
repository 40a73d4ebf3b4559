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
        features: The feature artifact: names, kinds, categories, what to do with unknown ones.
        train_rows: The training rows the artifact can encode.
        evaluation_rows: The evaluation rows the artifact can encode.
        report: How far each feature moved from the training to the evaluation rows, as one HTML page.
        categories: The features that are strings.
        numbers: The features that are numbers.
        unknown: `other` (a code of their own) or `error` (serving refuses them, and rows that have one are dropped here).
        max_categories: How many categories a feature keeps, the most frequent first; 0 keeps all.
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
