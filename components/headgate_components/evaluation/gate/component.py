"""The Kubeflow Pipelines adapter of `gate`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def gate(problems: str, subject: str, more_problems: str = "", verdict: str = "", reason: str = "") -> None:
    """Fail if an earlier step found problems, which stops everything after it.

    It is a separate step because on a cluster a failed step loses its reports.

    Args:
        problems: Problems as returned by validate_data and evaluate, one sentence per line; empty passes.
        subject: What was judged, named in the message.
        more_problems: Problems from another step, such as fairness or score_drift.
        verdict: `promote` or `keep`, as returned by compare_to_champion; only `keep` fails.
        reason: The reason returned by compare_to_champion.
    """
    from headgate_components.evaluation.gate.logic import gate as run
    from headgate_components.step import step

    with step("gate"):
        run(subject, (problems, more_problems), verdict=verdict, reason=reason)
