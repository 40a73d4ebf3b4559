"""The Kubeflow Pipelines adapter of `gate`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def gate(problems: str, subject: str, more_problems: str = "", verdict: str = "", reason: str = "") -> None:
    """Fail if an earlier step found problems, and so stop everything that comes after.

    It is a step of its own because a failed step loses its reports on a cluster.

    Args:
        problems: One sentence a line, as validate_data and evaluate return them; empty passes.
        subject: What was judged, for the message.
        more_problems: The same from another step, such as fairness or score_drift.
        verdict: `promote` or `keep`, as compare_to_champion returns it; only `keep` fails.
        reason: The reason that compare_to_champion gives.
    """
    from headgate_components.evaluation.gate.logic import gate as run
    from headgate_components.step import step

    with step("gate"):
        run(subject, (problems, more_problems), verdict=verdict, reason=reason)
