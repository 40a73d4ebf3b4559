"""The Kubeflow Pipelines adapter of `ingest`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def ingest(source: str, table: dsl.Output[dsl.Dataset], digest: str = "") -> str:
    """Read a CSV or Parquet file from a path or URI and store it as Parquet.

    A missing, corrupt or empty file fails the step with a message that names the file.

    Args:
        source: A path or a file://, s3://, gs:// or hdfs:// URI that ends in .csv, .csv.gz or .parquet.
        table: The data as one Parquet file; its metadata has the source, snapshot id, rows and columns.
        digest: The snapshot id that the file must have. Without it, a cached run does not notice that the data changed.

    Returns:
        The snapshot id: `sha256:` and the SHA-256 of the file.
    """
    from pathlib import Path

    from headgate_components.data_processing.ingest.logic import ingest as run
    from headgate_components.step import step

    with step("ingest"):
        snapshot = run(source, Path(table.path), digest)
    table.metadata.update(source=source, snapshot=snapshot.id, rows=snapshot.rows, columns=snapshot.columns)
    return snapshot.id
