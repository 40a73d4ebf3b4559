"""The Kubeflow Pipelines adapter of `model_card`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def model_card(
    registration: dsl.Input[dsl.Artifact],
    metrics: dsl.Input[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
    page: dsl.Output[dsl.HTML],
    fairness: dsl.Input[dsl.Metrics] = None,
    comparison: dsl.Input[dsl.Metrics] = None,
    importance: dsl.Input[dsl.Artifact] = None,
    owner: str = "",
    intended_use: str = "",
    limits: str = "",
) -> None:
    """Write a model card: what a version is, what it was trained on, how good and how fair it is, and what it must not be used for.

    If a step was not run, its section says so.

    Args:
        registration: What register_model wrote.
        metrics: The metrics from evaluate.
        card: The card as Markdown.
        page: The card as one HTML page.
        fairness: The metrics from fairness, if it was run.
        comparison: The metrics from compare_to_champion, if it was run.
        importance: The importance from explain, if it was run.
        owner: Who is responsible for the model.
        intended_use: What the model is for.
        limits: What the model must not be used for, and where it is known to be weak.
    """
    from pathlib import Path

    from headgate_components.deployment.model_card.logic import model_card as run
    from headgate_components.deployment.model_card.sections import Words
    from headgate_components.step import step

    with step("model_card"):
        run(
            Path(registration.path),
            Path(metrics.path),
            fairness=Path(fairness.path) if fairness else None,
            comparison=Path(comparison.path) if comparison else None,
            importance=Path(importance.path) if importance else None,
            words=Words(owner, intended_use, limits),
            card=Path(card.path),
            page=Path(page.path),
        )
