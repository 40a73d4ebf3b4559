"""The Kubeflow Pipelines adapter of `validate_data`."""

from typing import Optional

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def validate_data(
    table: dsl.Input[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    schema: str,
    reference: Optional[dsl.Input[dsl.Dataset]] = None,  # noqa: UP045 - kfp reads no unions
    max_distance: float = 0.3,
    max_missing_change: float = 0.2,
) -> str:
    """Check a table against a pandera schema and, if given, its distributions against a reference.

    A table with problems does not fail the step, because the report would be lost. Follow this step with the gate component.

    Args:
        table: The table to check.
        report: What was checked and what was found, as one HTML page.
        schema: A pandera DataFrameSchema as YAML text.
        reference: An earlier table to compare the distributions with.
        max_distance: Largest distance of a column from the reference (Kolmogorov-Smirnov, total variation), 0 to 1.
        max_missing_change: Largest change of a column's share of missing values, 0 to 1.

    Returns:
        The problems, one sentence per line; empty if the table passed.
    """
    from pathlib import Path

    from headgate_components.data_processing.validate_data.distribution import Limits
    from headgate_components.data_processing.validate_data.logic import validate
    from headgate_components.step import step

    with step("validate_data"):
        compared = Path(reference.path) if reference else None
        limits = Limits(max_distance, max_missing_change)
        validation = validate(Path(table.path), schema, Path(report.path), reference=compared, limits=limits)
    return "\n".join(validation.problems)
