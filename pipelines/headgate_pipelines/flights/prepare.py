"""Writes the joined table as the Parquet file that the pipelines' ingest step reads."""

import hashlib
from pathlib import Path

from headgate_pipelines.flights.source import FLIGHTS_FILE, WEATHER_FILE, FlightsError, data_folder
from headgate_pipelines.flights.table import load

DIGEST_LENGTH = 12


def prepare(folder: Path) -> Path:
    """Writes `flights-2013-<digest>.parquet` into the folder, or finds it there already.

    The digest covers the data files and this package's code, so an old table is never taken for a new one.

    Raises:
        FlightsError: a data file is missing or unreadable.
        OSError: the folder cannot be written.
    """
    path = folder / f"flights-2013-{_digest()}.parquet"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        load().to_parquet(part, index=False)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
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
