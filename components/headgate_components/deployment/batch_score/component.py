"""The Kubeflow Pipelines adapter of `batch_score`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def batch_score(
    features: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    scores: dsl.Output[dsl.Dataset],
    source: str,
    id: str,  # noqa: A002 - the name in the pipeline
    target: str = "",
    batch_rows: int = 65_536,
) -> int:
    """Score a Parquet file of any size in bounded memory; write ids and probabilities in the file's order.

    No row is skipped. A feature without a column counts as missing in all rows; a category that the model refuses counts as missing in its
    row. The metadata of the scores lists both.

    Args:
        features: The feature artifact.
        model: The booster.
        scores: The id and the probability of each row, as Parquet.
        source: A path or a file://, s3://, gs:// or hdfs:// URI of a Parquet file.
        id: The column that identifies a row; it is kept.
        target: A file to copy the scores to; it appears only once it is complete.
        batch_rows: Rows to score at a time. Memory use grows with this number and with the row groups of the source.

    Returns:
        The number of rows scored.
    """
    import json
    from pathlib import Path

    from headgate_components.deployment.batch_score.logic import batch_score as run
    from headgate_components.files import copy_file
    from headgate_components.step import step

    with step("batch_score"):
        scored = run(source, Path(features.path), Path(model.path), Path(scores.path), id_column=id, rows=batch_rows)
        if target:
            copy_file(Path(scores.path), Path(target))
    scores.metadata.update(rows=scored.rows, absent_features=list(scored.absent), unknown_values=json.dumps(scored.unknown))
    return scored.rows
