"""The Kubeflow Pipelines adapter of `fairness`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def fairness(
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    label: str,
    groups: list[str] = [],  # noqa: B006 - kfp takes plain literals only
    threshold: float = 0.5,
    maximum_difference: float = 0.0,
    minimum_rows: int = 100,
) -> str:
    """Compare a model's decisions between groups of rows, such as carriers, regions or ages.

    It measures the selection rate, true and false positive rates and error rate of each group, with fairlearn. Groups that differ too much
    do not fail the step, because the report would be lost. Follow this step with the gate component.

    Args:
        evaluation: The evaluation rows.
        features: The feature artifact.
        model: The trained booster.
        metrics: The largest difference in each rate between two groups of a column; the file holds them as JSON.
        report: The rates of all groups, as one HTML page.
        label: The label column that the model predicts.
        groups: Columns that put rows into groups, by value or by quartile; they need not be features.
        threshold: Smallest probability that counts as a prediction of 1, 0 to 1.
        maximum_difference: Largest allowed difference in selection rate, true positive rate or error rate, 0 to 1; 0 only reports.
        minimum_rows: Groups with fewer rows are shown but not compared.

    Returns:
        What differs too much, one sentence per line; empty if nothing does.
    """
    from pathlib import Path

    from headgate_components.evaluation.fairness.logic import Rule
    from headgate_components.evaluation.fairness.logic import fairness as run
    from headgate_components.step import step

    with step("fairness"):
        found = run(
            Path(evaluation.path),
            Path(features.path),
            Path(model.path),
            label=label,
            groups=groups,
            rule=Rule(threshold=threshold, maximum_difference=maximum_difference, minimum_rows=int(minimum_rows)),
            metrics_path=Path(metrics.path),
            report=Path(report.path),
        )
        for name, value in found.metrics.items():
            metrics.log_metric(name, value)
    return "\n".join(found.problems)
