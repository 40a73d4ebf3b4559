"""What survives a restart: of each ModelDeployment its question and what finished windows said, and the ledger. SQLite, written ahead."""

import fcntl
import logging
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from headgate_monitor.service.ledger import Ledger
from headgate_monitor.service.wire import Question
from headgate_monitor.watch.deployment import DeploymentState

_log = logging.getLogger(__name__)

FORMAT: Final = 1
_STATE: Final = TypeAdapter(DeploymentState)


class StateError(Exception):
    """The state cannot be used; the message says so in one sentence."""


@dataclass(frozen=True)
class Kept:
    """One ModelDeployment's state."""

    name: str
    question: Question
    state: DeploymentState


class Store:
    """One file in a folder; `ledger` is in the same one. Used by one thread after it was opened.

    The folder is this process's alone: two monitors would write their windows over each other's, and SQLite would let them.

    Raises:
        StateError: the folder cannot be written, is another monitor's, or holds a database of another format.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "monitor.sqlite"
        with ExitStack() as opened:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                lock = opened.enter_context((folder / "lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
                self._database = opened.enter_context(closing(sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)))
                self._prepare()
                self.ledger = Ledger(self._database)
            except BlockingIOError:
                raise StateError(
                    f"the state in {folder} is in use by another monitor; end that one, or give each its own --state"
                ) from None
            except (OSError, sqlite3.Error) as error:
                raise StateError(f"the state in {folder} cannot be used: {error}") from error
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def save(self, kept: Kept) -> None:
        """Write one ModelDeployment's state over what was there.

        Raises:
            StateError: the volume is full or gone.
        """
        row = (kept.name, kept.question.model_dump_json(by_alias=True), _STATE.dump_json(kept.state))
        try:
            self._database.execute("INSERT OR REPLACE INTO deployments (name, question, state) VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            raise StateError(f"{self._path} cannot be written: {error}") from error

    def forget(self, name: str) -> None:
        """Remove one ModelDeployment's state."""
        self._database.execute("DELETE FROM deployments WHERE name = ?", (name,))

    def read(self) -> list[Kept]:
        """Return everything that was saved, the least recently saved first; rows of another version that cannot be read are left out."""
        found = []
        for name, question, state in self._database.execute("SELECT name, question, state FROM deployments ORDER BY rowid"):
            try:
                found.append(Kept(name, Question.model_validate_json(question), _STATE.validate_json(state)))
            except ValidationError as error:
                _log.warning("what was known of %s is forgotten, another version wrote it: %s", name, error.errors()[0]["msg"])
        return found

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        if found not in (0, FORMAT):
            raise StateError(f"{self._path} has the format {found}, this version of Headgate reads {FORMAT}; give it another --state")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS deployments (name TEXT PRIMARY KEY, question TEXT NOT NULL, state BLOB NOT NULL)"
        )
        self._database.execute(f"PRAGMA user_version = {FORMAT}")
