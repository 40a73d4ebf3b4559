"""The Kubeflow Pipelines adapter of `split`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def split(
    table: dsl.Input[dsl.Dataset],
    train: dsl.Output[dsl.Dataset],
    evaluation: dsl.Output[dsl.Dataset],
    categories: list[str],
    numbers: list[str],
    time: str,
    label: str,
    id: str,  # noqa: A002 - the name in the pipeline
    train_start: str,
    train_end: str,
    evaluate_start: str,
    evaluate_end: str,
) -> int:
    """Split a table by time into training and evaluation rows, and refuse leaks.

    It refuses overlapping periods, an id that is in both parts, and a time, label or id column among the features. Rows without a label go
    into neither part.

    Args:
        table: The whole table.
        train: The labelled rows of the training period, in time order.
        evaluation: The labelled rows of the evaluation period, in time order.
        categories: The features that are strings.
        numbers: The features that are numbers.
        time: The column with the time at which each row's features were known.
        label: The column to predict, 0 or 1.
        id: The column that identifies a row.
        train_start: Start of the training period, inclusive, ISO 8601.
        train_end: End of the training period, exclusive.
        evaluate_start: Start of the evaluation period, inclusive; not before train_end.
        evaluate_end: End of the evaluation period, exclusive.

    Returns:
        The number of training rows.
    """
    from pathlib import Path

    from headgate_components.data_processing.split.logic import Period
    from headgate_components.data_processing.split.logic import split as run
    from headgate_components.data_processing.split.roles import Columns
    from headgate_components.step import step

    with step("split"):
        rows = run(
            Path(table.path),
            Columns(time=time, label=label, id=id),
            [*categories, *numbers],
            Period(train_start, train_end),
            Period(evaluate_start, evaluate_end),
            train_path=Path(train.path),
            evaluation_path=Path(evaluation.path),
        )
    train.metadata.update(rows=rows.train, start=train_start, end=train_end, unlabelled=rows.unlabelled)
    evaluation.metadata.update(rows=rows.evaluation, start=evaluate_start, end=evaluate_end)
    return rows.train
