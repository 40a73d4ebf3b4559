"""Ingest: files become Parquet known by their content, and bad files are named."""

import gzip
import hashlib
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate_components.data_processing.ingest.logic import ingest
from headgate_components.step import StepError

CSV = "carrier,delay\nUA,1.5\nNA,\nB6,-3\n"


def test_a_csv_file_becomes_parquet_known_by_its_hash(tmp_path: Path) -> None:
    source = tmp_path / "flights.csv"
    source.write_text(CSV)
    snapshot = ingest(str(source), tmp_path / "out" / "table")
    assert snapshot.id == f"sha256:{hashlib.sha256(CSV.encode()).hexdigest()}"
    assert (snapshot.rows, snapshot.columns) == (3, 2)
    assert pq.read_table(tmp_path / "out" / "table").to_pydict() == {"carrier": ["UA", None, "B6"], "delay": [1.5, None, -3.0]}


def test_the_same_rows_arrive_from_gzip_parquet_and_a_file_uri(tmp_path: Path) -> None:
    table = pa.table({"carrier": ["UA", "B6"], "delay": [1.5, -3.0]})
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"carrier,delay\nUA,1.5\nB6,-3.0\n"))
    for number, source in enumerate([str(tmp_path / "a.parquet"), (tmp_path / "a.parquet").as_uri(), str(tmp_path / "a.csv.gz")]):
        ingest(source, tmp_path / str(number))
        assert pq.read_table(tmp_path / str(number)).equals(table)


def test_changed_content_changes_the_snapshot_and_is_refused_where_another_was_expected(tmp_path: Path) -> None:
    source = tmp_path / "flights.csv"
    source.write_text(CSV)
    before = ingest(str(source), tmp_path / "table").id
    source.write_text(CSV + "DL,4\n")
    assert ingest(str(source), tmp_path / "table").id != before
    with pytest.raises(StepError, match=r"flights\.csv' changed after the run was asked for"):
        ingest(str(source), tmp_path / "table", before)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("flights.csv", None, r"flights\.csv' does not exist"),
        ("flights.parquet", b"PAR1 and then nothing", r"flights\.parquet' is corrupt"),
        ("flights.csv.gz", b"\x1f\x8b broken", r"flights\.csv\.gz' is corrupt"),
        ("flights.csv", b"a,b\n1,2\n1,2,3\n", r"flights\.csv' is corrupt"),
        ("flights.csv", b"", r"flights\.csv' is corrupt"),
        ("flights.csv", b"a,b\n", r"flights\.csv' has no rows"),
        ("flights.xlsx", b"", r"flights\.xlsx' has an unknown format; allowed are \.csv"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StepError, match=sentence):
        ingest(str(tmp_path / name), tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_a_truncated_file_of_each_format_is_refused_by_name(tmp_path: Path, make_table: Callable[..., pa.Table]) -> None:
    pq.write_table(make_table(200), tmp_path / "whole.parquet")
    whole = {"rows.parquet": (tmp_path / "whole.parquet").read_bytes(), "rows.csv.gz": gzip.compress(CSV.encode() * 500)}
    for name, content in whole.items():
        (tmp_path / name).write_bytes(content[: len(content) * 2 // 3])
        with pytest.raises(StepError, match=rf"{name}' is corrupt"):
            ingest(str(tmp_path / name), tmp_path / "table")


def test_an_unknown_scheme_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(StepError, match=r"ftp://host/a\.csv' has an unknown scheme; allowed are a path, file://"):
        ingest("ftp://host/a.csv", Path("unused"))


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "flights.csv").mkdir()
    with pytest.raises(StepError, match=r"flights\.csv' cannot be read: Is a directory"):
        ingest(str(tmp_path / "flights.csv"), tmp_path / "table")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX file-size limits")
def test_a_full_disk_leaves_no_half_written_table(tmp_path: Path, make_table: Callable[..., pa.Table]) -> None:
    pq.write_table(make_table(5000), tmp_path / "rows.parquet")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then the write fails as on a full disk, instead of ending the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StepError, match="table' cannot be written: File too large"):
            ingest(str(tmp_path / "rows.parquet"), tmp_path / "table")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.parquet"]
