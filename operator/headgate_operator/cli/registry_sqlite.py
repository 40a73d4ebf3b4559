"""Reads an MLflow registry that is a SQLite file, as on a machine without a server. Only reads, and needs no MLflow.

The tables are MLflow's own; a release that renames them is told, not guessed at.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from headgate_operator.cli.registry_records import RegistryReadError, RunRecord, VersionRecord, moment

PREFIX: Final = "sqlite:///"
_BUSY_SECONDS: Final = 5.0


class SqliteRegistry:
    """One file, opened for each question."""

    def __init__(self, uri: str) -> None:
        self._file = Path(uri.removeprefix(PREFIX)).absolute()

    async def number_of(self, name: str, alias: str | None) -> str:
        """Return the version that an alias names, or without one the newest version."""
        if alias is not None:
            rows = self._ask("select version from registered_model_aliases where name = ? and alias = ?", name, alias)
            return str(_first(rows, f"{self._file} has no alias '{alias}' of a model '{name}'")[0])
        rows = self._ask("select version from model_versions where name = ? order by version desc limit 1", name)
        return str(_first(rows, f"{self._file} has no version of a model '{name}'")[0])

    async def version(self, name: str, number: str) -> VersionRecord:
        """Return a version."""
        rows = self._ask("select creation_time, run_id from model_versions where name = ? and version = ?", name, number)
        created, run_id = _first(rows, f"{self._file} has no version {number} of a model '{name}'")
        aliases = self._ask("select alias from registered_model_aliases where name = ? and version = ? order by alias", name, number)
        return VersionRecord(
            name=name,
            version=number,
            created=moment(created),
            run_id=str(run_id or ""),
            aliases=tuple(str(row[0]) for row in aliases),
            tags=_pairs(self._ask("select key, value from model_version_tags where name = ? and version = ?", name, number)),
        )

    async def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        rows = self._ask("select status, end_time from runs where run_uuid = ?", run_id)
        status, ended = _first(rows, f"{self._file} has no run {run_id}")
        return RunRecord(
            run_id=run_id,
            status=str(status or ""),
            ended=moment(ended),
            params=_pairs(self._ask("select key, value from params where run_uuid = ? order by key", run_id)),
            metrics={
                str(key): float(value)
                for key, value in self._ask("select key, value from latest_metrics where run_uuid = ? order by key", run_id)
            },
            tags=_pairs(self._ask("select key, value from tags where run_uuid = ?", run_id)),
        )

    async def close(self) -> None:
        """Nothing stays open."""

    def _ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with (
            self._errors(),
            closing(sqlite3.connect(f"file:{quote(str(self._file))}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as database,
        ):
            return list(database.execute(query, values))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        if not self._file.is_file():
            raise RegistryReadError(f"there is no registry {self._file}; is the path of --tracking-uri right?")
        try:
            yield
        except sqlite3.Error as error:
            raise RegistryReadError(f"{self._file} cannot be read as an MLflow registry: {error}") from error


def _first(rows: list[tuple[Any, ...]], absent: str) -> tuple[Any, ...]:
    if not rows:
        raise RegistryReadError(absent)
    return rows[0]


def _pairs(rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    return {str(key): str(value) for key, value in rows}
