"""The Kubeflow Pipelines adapter of `evaluate`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def evaluate(
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    label: str,
    minimum_roc_auc: float = 0.0,
    minimum_pr_auc: float = 0.0,
) -> str:
    """Measure a model on rows from after its training.

    ROC and PR AUC, Brier score, log loss, confusion, calibration, the latency of single rows, and what rows with missing, extreme or
    unseen values get. A model that is not good enough does not fail the step: the reports would be lost. Follow it with the gate component.

    Args:
        evaluation: The evaluation rows.
        features: The feature artifact.
        model: The trained booster.
        metrics: The scalar metrics; the file holds them as JSON.
        curves: The ROC curve in at most 200 points, and the confusion matrix at one half.
        report: Everything measured, as one HTML page.
        label: The column that was predicted.
        minimum_roc_auc: Least area under the ROC curve.
        minimum_pr_auc: Least average precision.

    Returns:
        What is not good enough, one sentence a line; empty if the model passed.
    """
    from pathlib import Path

    from headgate_components.evaluation.evaluate.logic import Minimums
    from headgate_components.evaluation.evaluate.logic import evaluate as run
    from headgate_components.step import step

    with step("evaluate"):
        found = run(
            Path(evaluation.path),
            Path(features.path),
            Path(model.path),
            label=label,
            minimums=Minimums(minimum_roc_auc, minimum_pr_auc),
            metrics_path=Path(metrics.path),
            report=Path(report.path),
        )
        for name, value in found.metrics.items():
            metrics.log_metric(name, value)
        roc = found.quality.roc
        curves.log_roc_curve(list(roc.x), list(roc.y), list(roc.thresholds))
        curves.log_confusion_matrix(["0", "1"], [list(row) for row in found.quality.confusion])
        # As with metrics: without a file the local cache never finds the task.
        Path(curves.path).write_text("{}", encoding="utf-8")
    return "\n".join(found.problems)
