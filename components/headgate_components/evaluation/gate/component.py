"""The Kubeflow Pipelines adapter of `gate`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def gate(problems: str, subject: str) -> None:
    """Fail if an earlier step found problems, and so stop everything that comes after.

    It is a step of its own because a failed step loses its reports on a cluster.

    Args:
        problems: One sentence a line, as validate_data and evaluate return them; empty passes.
        subject: What was judged, for the message.
    """
    from headgate_components.evaluation.gate.logic import gate as run
    from headgate_components.step import step

    with step("gate"):
        run(problems, subject)
