"""Reads a CSV or Parquet file from a path or URI and keeps it as Parquet, known by the hash of its content."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv, fs

from headgate_components import tables
from headgate_components.sources import locate
from headgate_components.step import StepError

FORMATS = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Snapshot:
    """What was ingested."""

    id: str
    """`sha256:` and the SHA-256 of the source file."""
    rows: int
    columns: int


def ingest(source: str, target: Path, digest: str = "") -> Snapshot:
    """Reads the source and writes it to `target` as Parquet.

    Args:
        source: a path, or a `file://`, `s3://`, `gs://` or `hdfs://` URI of a .csv, .csv.gz or .parquet file.
        target: the Parquet file to write.
        digest: the expected snapshot id; anything is accepted if it is empty.

    Raises:
        StepError: the file is missing, corrupt, empty or another one than expected; the sentence names it.
    """
    if not source.endswith(FORMATS):
        raise StepError(f"the data file '{source}' has an unknown format; allowed are {', '.join(FORMATS)}")
    content = _content(source)
    snapshot = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if digest and snapshot != digest:
        raise StepError(f"the data file '{source}' changed after the run was asked for: its digest is {snapshot[:19]}…, not {digest[:19]}…")
    table = _table(source, content)
    if table.num_rows == 0:
        raise StepError(f"the data file '{source}' has no rows")
    tables.write(table, target)
    return Snapshot(id=snapshot, rows=table.num_rows, columns=table.num_columns)


def _content(source: str) -> bytes:
    filesystem, path = locate(source)
    try:
        if isinstance(filesystem, fs.LocalFileSystem):
            return Path(path).read_bytes()  # unlike Arrow, this also reads pipes, and says why it cannot read
        with filesystem.open_input_file(path) as file:
            return bytes(file.readall())
    except FileNotFoundError as error:
        raise StepError(f"the data file '{source}' does not exist") from error
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the data file '{source}' cannot be read: {tables.first_line(error)}") from error


def _table(source: str, content: bytes) -> pa.Table:
    try:
        if source.endswith(".parquet"):
            return pq.read_table(pa.BufferReader(content))
        text = gzip.decompress(content) if source.endswith(".gz") else content
        # Short values such as airline codes must not become categories of their own making: "NA" and nothing are missing.
        options = csv.ConvertOptions(null_values=["", "NA", "null"], strings_can_be_null=True)
        return csv.read_csv(pa.BufferReader(text), convert_options=options)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise StepError(f"the data file '{source}' is corrupt: {tables.first_line(error)}") from error
