"""Predictions that wait for their labels, and labels that wait for their predictions: tables of the monitor's database.

Labels come hours or days later, again, corrected, or for requests nobody knows. Everything has a bound: predictions by number (beyond it a
uniform share of the request ids is kept) and by the horizon, early labels by number and by an hour.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from math import isfinite, nan
from typing import Final
from zlib import crc32

from headgate_monitor.collector.labels import Label
from headgate_monitor.truth.cohort import Row, Tally

SHARES: Final = 1024
EARLY_SECONDS: Final = 3600.0
LARGEST_EARLY: Final = 50_000

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS predictions (
    deployment TEXT NOT NULL, request TEXT NOT NULL, row INTEGER NOT NULL, version TEXT NOT NULL,
    cohort REAL NOT NULL, at REAL NOT NULL, prediction REAL, label REAL, told REAL, came REAL,
    PRIMARY KEY (deployment, request, row, version)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS predictions_by_cohort ON predictions (deployment, cohort);
CREATE TABLE IF NOT EXISTS early_labels (
    deployment TEXT NOT NULL, request TEXT NOT NULL, row INTEGER NOT NULL, label REAL NOT NULL, told REAL NOT NULL, came REAL NOT NULL,
    PRIMARY KEY (deployment, request, row)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS early_labels_by_time ON early_labels (came);
CREATE TABLE IF NOT EXISTS tallies (
    deployment TEXT NOT NULL, version TEXT NOT NULL, hour INTEGER NOT NULL, sums TEXT NOT NULL,
    PRIMARY KEY (deployment, version, hour)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS truths (deployment TEXT PRIMARY KEY, state BLOB NOT NULL);
"""

_ADD: Final = """
INSERT OR IGNORE INTO predictions
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, COALESCE(other.label, early.label), COALESCE(other.told, early.told), COALESCE(other.came, early.came)
FROM (SELECT 1)
LEFT JOIN early_labels AS early ON early.deployment = ?1 AND early.request = ?2 AND early.row = ?3
LEFT JOIN predictions AS other ON other.deployment = ?1 AND other.request = ?2 AND other.row = ?3
"""
"""The label may be there already: it came first, or another version (mirrored traffic) answered the same request before."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row that a version answered."""

    deployment: str
    request: str
    row: int
    version: str
    cohort: float
    at: float
    value: float


class Ledger:
    """Tables in a database that is open. Used by one thread.

    Args:
        database: In autocommit mode.

    Raises:
        sqlite3.Error: from every method, if the volume is full or gone.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_TABLES)

    @contextmanager
    def together(self) -> Iterator[None]:
        """All writes inside happen, or none does."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def add(self, predictions: Iterable[Prediction]) -> None:
        """Keep predictions; those that are known already stay as they are. Labels that came before them are joined."""
        with self.together():
            self._database.executemany(_ADD, (_columns(prediction) for prediction in predictions))

    def label(self, deployment: str, labels: Iterable[Label], at: float, share: int) -> Counter[str]:
        """Join labels with predictions, and return how many came to what.

        accepted, corrected (another value than before, and not an older one), repeated, outdated (a later one is known), unknown (no such
        prediction within the horizon; kept for an hour in case it is still to come), shed (its request is not among those that are kept).
        """
        found: Counter[str] = Counter()
        with self.together():
            for label in labels:
                found[self._label(deployment, label, at, share)] += 1
            self._bound_early(at)
        return found

    def counts(self, deployment: str, since: float) -> dict[float, dict[str, tuple[int, int]]]:
        """Return how many predictions and labels each version has, by cohort, of cohorts that began then or later."""
        found: dict[float, dict[str, tuple[int, int]]] = {}
        for cohort, version, predictions, labels in self._database.execute(
            "SELECT cohort, version, COUNT(*), COUNT(label) FROM predictions WHERE deployment = ? AND cohort >= ? GROUP BY cohort, version",
            (deployment, since),
        ):
            found.setdefault(cohort, {})[version] = predictions, labels
        return found

    def rows(self, deployment: str, cohort: float) -> dict[str, list[Row]]:
        """Return a cohort's rows by version."""
        found: dict[str, list[Row]] = {}
        for version, request, at, prediction, label, came in self._database.execute(
            "SELECT version, request, at, prediction, label, came FROM predictions WHERE deployment = ? AND cohort = ?",
            (deployment, cohort),
        ):
            row = Row(version, request, at, nan if prediction is None else prediction, label, came)
            found.setdefault(version, []).append(row)
        return found

    def cohorts_before(self, deployment: str, before: float) -> list[float]:
        """Return the beginnings of cohorts that have rows and began no later."""
        query = "SELECT DISTINCT cohort FROM predictions WHERE deployment = ? AND cohort <= ? ORDER BY cohort"
        return [cohort for (cohort,) in self._database.execute(query, (deployment, before))]

    def fold(self, deployment: str, cohort: float, sums: Mapping[tuple[str, int], Tally]) -> None:
        """Replace a cohort's rows by sums, by version and hour."""
        for (version, hour), tally in sums.items():
            key = (deployment, version, hour)
            query = "SELECT sums FROM tallies WHERE deployment = ? AND version = ? AND hour = ?"
            known = self._database.execute(query, key).fetchone()
            total = Tally(*json.loads(known[0])) + tally if known else tally
            self._database.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?)", (*key, json.dumps(astuple(total))))
        self._database.execute("DELETE FROM predictions WHERE deployment = ? AND cohort = ?", (deployment, cohort))

    def tallies(self, deployment: str, version: str) -> dict[int, Tally]:
        """Return the sums of a version by hour since the epoch, in order."""
        query = "SELECT hour, sums FROM tallies WHERE deployment = ? AND version = ? ORDER BY hour"
        return {hour: Tally(*json.loads(sums)) for hour, sums in self._database.execute(query, (deployment, version))}

    def forget_tallies(self, deployment: str, *, before_hour: int) -> None:
        """Remove sums that are too old for anything."""
        self._database.execute("DELETE FROM tallies WHERE deployment = ? AND hour < ?", (deployment, before_hour))

    def sizes(self) -> dict[str, int]:
        """Return how many predictions are kept, by deployment."""
        return dict(self._database.execute("SELECT deployment, COUNT(*) FROM predictions GROUP BY deployment"))

    def thin(self, deployment: str, share: int) -> None:
        """Keep those ids only that are within the share (of 1024)."""
        self._database.create_function("headgate_kept", 1, lambda request: kept(request, share), deterministic=True)
        self._database.execute("DELETE FROM predictions WHERE deployment = ? AND NOT headgate_kept(request)", (deployment,))

    def save(self, deployment: str, state: bytes) -> None:
        """Write what else is known of a deployment."""
        self._database.execute("INSERT OR REPLACE INTO truths VALUES (?, ?)", (deployment, state))

    def states(self) -> dict[str, bytes]:
        """Return what was written by `save`."""
        return dict(self._database.execute("SELECT deployment, state FROM truths"))

    def forget(self, deployment: str) -> None:
        """Remove everything about a deployment."""
        with self.together():
            self._database.execute("DELETE FROM predictions WHERE deployment = ?", (deployment,))
            self._database.execute("DELETE FROM early_labels WHERE deployment = ?", (deployment,))
            self._database.execute("DELETE FROM tallies WHERE deployment = ?", (deployment,))
            self._database.execute("DELETE FROM truths WHERE deployment = ?", (deployment,))

    def _label(self, deployment: str, label: Label, at: float, share: int) -> str:
        told = at if label.time is None else min(label.time, at)
        key = (deployment, label.request, label.row)
        known = self._database.execute(
            "SELECT label, told FROM predictions WHERE deployment = ? AND request = ? AND row = ?", key
        ).fetchall()
        if not known:
            return self._early(key, label, told, at) if kept(label.request, share) else "shed"
        result = _result(known, label.value, told)
        if result in ("accepted", "corrected"):
            self._database.execute(
                "UPDATE predictions SET label = ?, told = ?, came = COALESCE(came, ?) WHERE deployment = ? AND request = ? AND row = ?",
                (label.value, told, at, *key),
            )
        return result

    def _early(self, key: tuple[str, str, int], label: Label, told: float, at: float) -> str:
        self._database.execute(
            "INSERT INTO early_labels VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET label = excluded.label, told = excluded.told "
            "WHERE excluded.told >= told",
            (*key, label.value, told, at),
        )
        return "unknown"

    def _bound_early(self, at: float) -> None:
        self._database.execute("DELETE FROM early_labels WHERE came < ?", (at - EARLY_SECONDS,))
        (count,) = self._database.execute("SELECT COUNT(*) FROM early_labels").fetchone()
        if count > LARGEST_EARLY:
            self._database.execute(
                "DELETE FROM early_labels WHERE (deployment, request, row) IN "
                "(SELECT deployment, request, row FROM early_labels ORDER BY came LIMIT ?)",
                (count - LARGEST_EARLY,),
            )


def kept(request: str, share: int) -> bool:
    """Whether a request is among those that are kept when a share (of 1024) is: the same for all versions that answered it."""
    return crc32(b"kept" + request.encode()) % SHARES < share


def _columns(p: Prediction) -> tuple[str, str, int, str, float, float, float | None]:
    return p.deployment, p.request, p.row, p.version, p.cohort, p.at, p.value if isfinite(p.value) else None


def _result(known: Sequence[tuple[float | None, float | None]], value: float, told: float) -> str:
    labels = [label for label, _ in known]
    if None in labels:
        return "accepted"
    if any(before is not None and told < before for _, before in known):
        return "repeated" if set(labels) == {value} else "outdated"
    return "repeated" if set(labels) == {value} else "corrected"
