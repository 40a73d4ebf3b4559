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
    """Compare a model with the champion, the registered version that serves now, on the same rows.

    A paired bootstrap of the difference of a metric tells whether the challenger is surely better, or surely not worse by more than the
    margin. A model without a champion is promoted; a champion that cannot be read is kept. Never cache this step: its inputs do not show
    that the alias moved.

    Args:
        evaluation: The evaluation rows; the champion reads them with its own features.
        features: The challenger's feature artifact.
        model: The challenger.
        comparison: The metric of both and the lower bound of the improvement; the file holds them as JSON.
        report: Verdict and measurements, as one HTML page.
        label: The column that was predicted.
        model_name: The name in the registry.
        tracking_uri: The MLflow server, or sqlite:///<path> to work without one.
        champion_alias: The alias of the version to beat.
        metric: What to compare by: roc_auc, pr_auc, log_loss or brier.
        margin: How much worse the challenger may be, in the unit of the metric; 0 asks for a better one.
        confidence: How sure to be, one-sided, above 0.5 and below 1.
        resamples: How often the rows are drawn anew.
        maximum_latency_ratio: Most times of the champion's median time for one row that the challenger may take; 0 for no limit.
        seed: Seed of the draws.

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
