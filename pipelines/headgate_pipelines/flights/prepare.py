"""Writes the joined table as the Parquet file that the pipelines' ingest step reads."""

import hashlib
from pathlib import Path

import pyarrow as pa

from headgate_components.tables import write
from headgate_pipelines.flights.source import FLIGHTS_FILE, WEATHER_FILE, FlightsError, data_folder
from headgate_pipelines.flights.table import load

DIGEST_LENGTH = 12


def prepare(folder: Path) -> Path:
    """Writes `flights-2013-<digest>.parquet` into the folder, or finds it there already.

    The digest covers the data files and this package's code, so an old table is never taken for a new one.

    Raises:
        FlightsError: a data file is missing or unreadable.
        StepError: the table cannot be written.
    """
    path = folder / f"flights-2013-{_digest()}.parquet"
    if path.exists():
        return path
    write(pa.Table.from_pandas(load(), preserve_index=False), path)
    return path


def _digest() -> str:
    data = data_folder()
    digest = hashlib.sha256()
    for path in (data / FLIGHTS_FILE, data / WEATHER_FILE, *sorted(Path(__file__).parent.glob("*.py"))):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise FlightsError(f"the data file '{path}' cannot be read: {error.strerror}") from error
    return digest.hexdigest()[:DIGEST_LENGTH]
