"""The Kubeflow Pipelines adapter of `score_drift`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def score_drift(
    rows: dsl.Input[dsl.Dataset], reference: dsl.Input[dsl.Artifact], report: dsl.Output[dsl.HTML], maximum_share: float = 1.0
) -> str:
    """Compare rows with a model's drift reference, window by window, as the monitor does with live traffic.

    Rows that drifted too far do not fail the step, because the report would be lost. Follow this step with the gate component.

    Args:
        rows: The rows, in time order.
        reference: The drift reference of the model.
        report: Distances, floors and alarms of each feature, as one HTML page.
        maximum_share: Largest share of windows in which a feature may drift severely, 0 to 1; 1 only reports.

    Returns:
        What drifted too far, one sentence per line; empty if nothing did.
    """
    from pathlib import Path

    from headgate_components.evaluation.score_drift.logic import score_drift as run
    from headgate_components.step import step

    with step("score_drift"):
        drift = run(Path(rows.path), Path(reference.path), Path(report.path), maximum_share=maximum_share)
    report.metadata.update(windows=drift.windows, severe=sorted(drift.severe_share))
    return "\n".join(drift.problems)
