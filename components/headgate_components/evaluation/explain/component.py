"""The Kubeflow Pipelines adapter of `explain`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def explain(
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    importance: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    rows: int = 2000,
    seed: int = 0,
) -> None:
    """Explain a model: which features move its predictions, and by how much.

    It computes SHAP values for a sample of rows with XGBoost (pred_contribs), in log-odds.

    Args:
        evaluation: The evaluation rows.
        features: The feature artifact.
        model: The trained booster.
        importance: The mean absolute contribution of each feature, as JSON.
        report: The importance of all features, and explanations of some single rows, as one HTML page.
        rows: Maximum number of rows to explain; more rows are more precise and slower.
        seed: Seed for sampling the rows.
    """
    from pathlib import Path

    from headgate_components.evaluation.explain.logic import explain as run
    from headgate_components.step import step

    with step("explain"):
        found = run(
            Path(evaluation.path),
            Path(features.path),
            Path(model.path),
            rows=int(rows),
            seed=int(seed),
            importance=Path(importance.path),
            report=Path(report.path),
        )
    importance.metadata.update(rows=found.rows, most_important=found.features[0].name)
