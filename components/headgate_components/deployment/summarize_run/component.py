"""The Kubeflow Pipelines adapter of `summarize_run`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def summarize_run(
    status: dsl.PipelineTaskFinalStatus, summary: dsl.Output[dsl.Markdown], pipeline: str, run: str, kubeflow_api: str = ""
) -> None:
    """Write a summary of a run, however it ended: what failed and why, and every step. Meant as an exit handler.

    It does not fail over anything it cannot find out; the summary says so instead.

    Args:
        status: How the steps ended; filled in by Kubeflow Pipelines.
        summary: The summary.
        pipeline: The pipeline's name, for the heading.
        run: The run's id.
        kubeflow_api: Address of the Kubeflow Pipelines API, such as http://ml-pipeline.kubeflow:8888; empty asks for nothing.
    """
    import os
    from pathlib import Path

    from headgate_components.deployment.summarize_run.logic import NOTES, ask, read_notes, render
    from headgate_components.step import StepError, step

    with step("summarize_run"):
        steps, remark = [], status.error_message or ""
        try:
            if notes := os.environ.get(NOTES):
                steps = read_notes(Path(notes))
            elif kubeflow_api:
                steps = ask(kubeflow_api, run)
        except StepError as error:
            remark = f"{remark}\n\nThe steps are not listed here: {error}".strip()
        Path(summary.path).write_text(render(pipeline, status.state, steps, remark=remark), encoding="utf-8")
