"""The Kubeflow Pipelines adapter of `make_golden`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def make_golden(
    rows: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    golden: dsl.Output[dsl.Artifact],
    count: int = 20,
) -> None:
    """Record the model's answers for a few rows; serving must reproduce them before it gets any traffic.

    Some of the rows have missing values. The versions of the libraries are recorded, to help explain a difference.

    Args:
        rows: Rows to choose from, such as the evaluation rows.
        features: The feature artifact.
        model: The trained booster.
        golden: The request, the answers, the versions and the model's digest as JSON.
        count: How many rows to record, 1 to 100.
    """
    from pathlib import Path

    from headgate_components.deployment.make_golden.logic import golden as run
    from headgate_components.step import step

    with step("make_golden"):
        golden.metadata["rows"] = run(Path(rows.path), Path(features.path), Path(model.path), Path(golden.path), count=count)
