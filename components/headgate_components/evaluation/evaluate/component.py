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
    target: str = "",
    maximum_latency_ms: float = 0.0,
    slices: list[str] = [],  # noqa: B006 - kfp takes plain literals only
    minimum_slice_roc_auc: float = 0.0,
) -> str:
    """Measure a model on rows from after its training period.

    It reports ROC and PR AUC, Brier score, log loss, calibration, the confusion matrix at the threshold chosen for the target, ROC AUC
    and Brier score of each slice, the latency of single rows, and predictions for rows with missing, extreme or unseen values. A model that
    is not good enough, or rows that no model can be judged on, do not fail the step, because the reports would be lost. Follow this step
    with the gate component.

    Args:
        evaluation: The evaluation rows.
        features: The feature artifact.
        model: The trained booster.
        metrics: The scalar metrics; the file holds them as JSON.
        curves: The ROC curve, at most 200 points, and the confusion matrix at the threshold.
        report: Everything measured, as one HTML page.
        label: The label column that the model predicts.
        minimum_roc_auc: Smallest acceptable area under the ROC curve.
        minimum_pr_auc: Smallest acceptable average precision.
        target: What to reach at which threshold, such as "recall >= 0.85 at precision >= 0.90" (of recall, precision and specificity).
            The threshold with the most of the first where the second holds is used. Empty uses one half and asks for nothing.
        maximum_latency_ms: Largest median time to encode and predict one row, in milliseconds; 0 for no limit.
        slices: Columns to slice by, by value or by quartile; each slice is also measured on its own. They need not be features.
        minimum_slice_roc_auc: Smallest acceptable area under the ROC curve of every slice with at least 100 rows; 0 for no limit.

    Returns:
        What is not good enough, one sentence per line; empty if the model passed.
    """
    from pathlib import Path

    from headgate_components.evaluation.evaluate.logic import Limits
    from headgate_components.evaluation.evaluate.logic import evaluate as run
    from headgate_components.evaluation.evaluate.operating_point import Target
    from headgate_components.step import step

    with step("evaluate"):
        found = run(
            Path(evaluation.path),
            Path(features.path),
            Path(model.path),
            label=label,
            limits=Limits(
                roc_auc=minimum_roc_auc,
                pr_auc=minimum_pr_auc,
                slice_roc_auc=minimum_slice_roc_auc,
                target=Target.parse(target) if target else None,
                latency_ms=maximum_latency_ms,
            ),
            slice_columns=slices,
            metrics_path=Path(metrics.path),
            report=Path(report.path),
        )
        for name, value in found.metrics.items():
            metrics.log_metric(name, value)
        if found.measured:
            curves.log_roc_curve(*found.measured.quality.thresholds.roc())
            curves.log_confusion_matrix(["0", "1"], [list(row) for row in found.measured.point.confusion])
        # As with metrics: without a file the local cache never finds the task.
        Path(curves.path).write_text("{}", encoding="utf-8")
    return "\n".join(found.problems)
