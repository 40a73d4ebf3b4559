"""Where a search is remembered, so that a step that was killed goes on where it was.

A study is named after what it is about: other rows, features or limits are another study in the same storage, never mixed up with this one.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from headgate_components.step import StepError
from headgate_components.tables import first_line

DATABASES = ("sqlite", "postgresql", "mysql")
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def study_name(files: Mapping[str, Path], about: Mapping[str, object]) -> str:
    """A name that changes with the content of the files and with what the search is about."""
    digest = hashlib.sha256(json.dumps(dict(about), sort_keys=True).encode())
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            digest.update(f"\0{name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return f"headgate-tune-{digest.hexdigest()[:12]}"


def open_study(storage: str, name: str, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    """The study of that name, new or as a former process left it; what that was doing when it died counts as failed.

    Args:
        storage: a file for a journal, a database's URL, or nothing to remember nothing.
        name: the study.
        pruner: who gives up trials.

    Raises:
        StepError: the storage cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(storage=_storage(storage), study_name=name, pruner=pruner, load_if_exists=True)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
    except (SQLAlchemyError, OSError, ValueError, RuntimeError, ImportError) as error:
        raise StepError(f"the storage '{storage}' of the search cannot be used: {first_line(error)}") from error
    return study


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that came to an end by themselves, in order."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def _storage(storage: str) -> BaseStorage | None:
    if not storage:
        return None
    scheme, separator, _ = storage.partition("://")
    if not separator:
        path = Path(storage).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend(path)
        return JournalStorage(JournalFileBackend(str(path)))
    if scheme.partition("+")[0] not in DATABASES:
        allowed = ", ".join(f"{name}://" for name in DATABASES)
        raise StepError(f"the storage '{storage}' has an unknown scheme; allowed are a file for a journal, {allowed}")
    return RDBStorage(storage)


def _mend(path: Path) -> None:
    """Cuts off a last line that a killed process left half written: Optuna would read neither it nor what follows."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            path.write_bytes(content[:whole])
