"""The Kubeflow Pipelines adapter of `compare_to_champion`."""

from typing import NamedTuple

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def compare_to_champion(
    evaluation: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    comparison: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    label: str,
    model_name: str,
    tracking_uri: str,
    champion_alias: str = "champion",
    metric: str = "roc_auc",
    margin: float = 0.0,
    confidence: float = 0.95,
    resamples: int = 1000,
    maximum_latency_ratio: float = 0.0,
    seed: int = 0,
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str), ("prediction_shift", float)]):  # type: ignore[valid-type]
    """Compare a model with the champion, the registered version that is serving now, on the same rows.

    A paired bootstrap of the difference in a metric shows whether the challenger is better with confidence, or with confidence not worse by
    more than the margin. If there is no champion, the model is promoted; a champion that cannot be read is kept. Never cache this step: its
    inputs do not show whether the alias has moved.

    Args:
        evaluation: The evaluation rows; the champion reads them with its own features.
        features: The challenger's feature artifact.
        model: The challenger.
        comparison: The metric for both, and the lower bound of the improvement; the file holds them as JSON.
        report: The verdict and the measurements, as one HTML page.
        label: The label column that the model predicts.
        model_name: The name in the registry.
        tracking_uri: The MLflow server, or sqlite:///<path> to work without one.
        champion_alias: The alias of the version to beat.
        metric: The metric to compare: roc_auc, pr_auc, log_loss or brier.
        margin: How much worse the challenger may be, in the unit of the metric; 0 requires it to be better.
        confidence: Confidence required, one-sided, above 0.5 and below 1.
        resamples: Number of bootstrap resamples.
        maximum_latency_ratio: Largest ratio of the challenger's median time for a single row to the champion's; 0 for no limit.
        seed: Seed of the resampling.

    Returns:
        verdict: `promote` or `keep`.
        reason: Why, in one sentence.
        prediction_shift: How far the challenger's predictions are from the champion's on the same rows, 0 to 1; for the drift reference.
    """
    from pathlib import Path

    from headgate_components.evaluation.compare_to_champion.judgement import Rule, metric_named
    from headgate_components.evaluation.compare_to_champion.logic import Registered, compare
    from headgate_components.step import step

    with step("compare_to_champion"):
        found = compare(
            Path(evaluation.path),
            Path(features.path),
            Path(model.path),
            label=label,
            registered=Registered(model_name, tracking_uri, champion_alias),
            rule=Rule(metric_named(metric), margin, confidence, int(resamples), maximum_latency_ratio, int(seed)),
            metrics_path=Path(comparison.path),
            report=Path(report.path),
        )
        for name, value in found.metrics.items():
            comparison.log_metric(name, value)
    return found.judgement.verdict, found.judgement.reason, found.shift
