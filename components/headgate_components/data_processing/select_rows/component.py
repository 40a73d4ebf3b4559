"""The Kubeflow Pipelines adapter of `select_rows`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def select_rows(
    table: dsl.Input[dsl.Dataset],
    features: dsl.Input[dsl.Artifact],
    rows: dsl.Output[dsl.Dataset],
    time: str,
    label: str,
    id: str,  # noqa: A002 - the name in the pipeline
    start: str,
    end: str,
) -> int:
    """Select the rows on which a registered model can be judged: within a period, labelled, and encodable with the model's features.

    Args:
        table: The whole table.
        features: The model's feature artifact.
        rows: The selected rows, in time order.
        time: The column with the time at which each row's features were known.
        label: The label column, 0 or 1.
        id: The column that identifies a row.
        start: Start of the period, inclusive, ISO 8601.
        end: End of the period, exclusive.

    Returns:
        The number of rows selected.
    """
    from pathlib import Path

    from headgate_components.data_processing.select_rows.logic import select
    from headgate_components.data_processing.split.logic import Period
    from headgate_components.data_processing.split.roles import Columns
    from headgate_components.step import step

    with step("select_rows"):
        columns = Columns(time=time, label=label, id=id)
        selected = select(Path(table.path), Path(features.path), Path(rows.path), columns=columns, period=Period(start, end))
    rows.metadata.update(rows=selected.rows, left_out=selected.left_out, start=start, end=end)
    return selected.rows
