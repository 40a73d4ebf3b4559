"""Tuning: in the order of time, within its budget, and going on where a killed step was."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from typing import Any

import optuna
import pytest

from headgate_components.step import StepError
from headgate_components.training.boosting import read_rows
from headgate_components.training.settings import Settings, overridden
from headgate_components.training.tune.cancelling import cancellable
from headgate_components.training.tune.folds import grow, time_folds
from headgate_components.training.tune.logic import Tuned, tune
from headgate_components.training.tune.search import Budget

BASE = Settings(trees=30)

STEP = """
import sys
from types import SimpleNamespace
from headgate_components.training.tune.component import tune
train, features, scrap = (SimpleNamespace(path=path, metadata={}) for path in sys.argv[1:4])
tune.python_func(train=train, features=features, study=scrap, report=scrap, label="late", trials=1000, seconds=60, storage=sys.argv[4])
"""
"""The component as it is, in a process of its own."""


@pytest.fixture
def run(trained: Any, tmp_path: Path) -> Callable[..., Tuned]:
    """`run(trials=4, seconds=60, **options)` writes `study.json` and `report.html` into the test's folder."""

    def build(trials: int = 4, seconds: float = 60, *, rows: Path | None = None, **options: Any) -> Tuned:
        paths = {"study_path": tmp_path / "study.json", "report": tmp_path / "report.html"}
        given = {"label": "late", "base": BASE, "budget": Budget(trials, seconds), "folds": 3, **paths, **options}
        return tune(rows or trained.train_rows, trained.features, **given)

    return build


def tried(folder: Path) -> list[dict[str, Any]]:
    return [trial["settings"] for trial in json.loads((folder / "study.json").read_text())["trials"] if trial["outcome"] != "interrupted"]


def test_the_best_settings_are_no_worse_than_the_first_and_training_takes_them(run: Any, tmp_path: Path) -> None:
    found = run()
    content = json.loads((tmp_path / "study.json").read_text())
    first = content["trials"][0]
    assert first["settings"] == {name: getattr(BASE, name) for name in first["settings"]}
    assert found.log_loss == content["best"]["logLoss"] <= first["logLoss"]
    assert overridden(Settings(), found.settings) == replace(Settings(), **content["best"]["settings"])
    assert found.trials == len(content["trials"]) == 4
    assert "4 trials" in (tmp_path / "report.html").read_text()


def test_the_first_trial_has_the_given_settings_also_where_nothing_else_is_searched(run: Any, tmp_path: Path) -> None:
    given = replace(BASE, max_depth=12, learning_rate=0.5, subsample=0.4, min_child_weight=0.0)
    run(2, base=given)
    first, _ = tried(tmp_path)
    assert first == {name: getattr(given, name) for name in first}


def test_a_fold_learns_only_from_what_was_before_it(trained: Any) -> None:
    rows = read_rows(trained.train_rows, trained.features, "late")
    folds = time_folds(rows, 3, BASE)
    assert [fold.learnt.num_row() for fold in folds] == [375, 750, 1125]
    assert [fold.judged.num_row() for fold in folds] == [375, 375, 375]
    assert folds[1].judged.get_label().tolist() == rows.labels[750:1125].tolist()


def test_the_loss_of_a_fold_is_what_xgboost_says_after_training_it_alone(trained: Any) -> None:
    import xgboost as xgb

    from headgate_components.training.boosting import parameters

    fold = time_folds(read_rows(trained.train_rows, trained.features, "late"), 2, BASE)[0]
    record: dict[str, Any] = {}
    xgb.train(parameters(BASE), fold.learnt, 5, evals=[(fold.judged, "later")], evals_result=record, verbose_eval=False)
    losses = [loss for loss, _ in zip(grow([fold], BASE), range(5), strict=False)]
    assert losses == pytest.approx(record["later"]["logloss"], abs=1e-5)


def test_a_search_that_was_cancelled_goes_on_and_tries_what_it_would_have_tried_anyway(run: Any, tmp_path: Path) -> None:
    storage = str(tmp_path / "deep" / "journal.log")
    whole = run(6)
    expected = tried(tmp_path)
    trees = iter(range(10_000))
    with pytest.raises(StepError, match=r"cancelled after \d+ trials; a new run goes on from '.*journal\.log'"):
        run(6, storage=storage, cancelled=lambda: next(trees) > 70)
    with (tmp_path / "deep" / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code": 5, "wor')  # and died in the middle of a write
    said: list[str] = []
    resumed = run(6, storage=storage, say=said.append)
    assert 0 < len(said) < 6
    assert tried(tmp_path) == expected
    assert (resumed.settings, resumed.trials) == (whole.settings, 6)


def test_a_step_that_is_killed_or_told_to_end_is_gone_on_with(run: Any, trained: Any, tmp_path: Path) -> None:
    storage = str(tmp_path / "journal.log")
    files = [str(trained.train_rows), str(trained.features), str(tmp_path / "scrap")]
    errors = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        with subprocess.Popen([sys.executable, "-c", STEP, *files, storage], stdout=PIPE, stderr=PIPE, text=True) as step:
            assert step.stdout is not None
            assert step.stderr is not None
            assert step.stdout.readline().startswith("headgate: tune: trial ")
            step.send_signal(number)
            errors.append(step.stderr.read())
    assert step.returncode == 1
    assert errors[0] == ""
    assert re.fullmatch(rf"headgate: error: tune: cancelled after \d+ trials; a new run goes on from '{storage}'\n", errors[1])
    said: list[str] = []
    found = run(1, base=Settings(trees=400), storage=storage, say=said.append)
    assert found.trials >= 2
    assert said == []


def test_a_trial_of_a_dead_process_is_made_again_and_other_rows_are_another_search(run: Any, trained: Any, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    run(1, storage=storage)
    study = optuna.load_study(storage=storage, study_name=optuna.get_all_study_names(storage)[0])
    study.ask()  # and nobody ever tells
    assert run(2, storage=storage).trials == 2
    outcomes = [trial["outcome"] for trial in json.loads((tmp_path / "study.json").read_text())["trials"]]
    assert outcomes[:2] == ["done", "interrupted"]
    run(1, storage=storage, rows=trained.evaluation_rows)
    assert len(optuna.get_all_study_names(storage)) == 2


def test_hopeless_trials_are_given_up_early(run: Any, tmp_path: Path) -> None:
    run(12, base=replace(BASE, trees=60))
    outcomes = [trial["outcome"] for trial in json.loads((tmp_path / "study.json").read_text())["trials"]]
    assert "given up" in outcomes
    assert outcomes[:3] == ["done"] * 3


def test_one_trial_is_made_however_little_time_there_is_and_none_after_it(run: Any) -> None:
    assert run(5, seconds=1e-9).trials == 1


def test_time_that_was_spent_before_a_restart_counts(run: Any, tmp_path: Path) -> None:
    storage = str(tmp_path / "journal.log")
    run(2, storage=storage)
    assert run(5, seconds=1e-6, storage=storage).trials == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"trials": 0}, "0 trials are not possible; allowed are 1 or more"),
        ({"seconds": 0}, "a budget of 0 seconds is not possible"),
        ({"folds": 1}, "1 folds are not possible; allowed are 2 to 10"),
        ({"storage": "redis://x"}, "the storage 'redis://x' has an unknown scheme; allowed are a file for a journal, sqlite://"),
        ({"storage": "sqlite:////no/such/folder/x.db"}, r"the storage 'sqlite:////no/such/folder/x\.db' of the search cannot be used"),
        ({"storage": "/dev/null/journal"}, "the storage '/dev/null/journal' of the search cannot be used: "),
        ({"base": replace(BASE, class_weight="heavy")}, "class_weight is 'heavy'; allowed are none, balanced"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(run: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        run(**options)


def test_a_signal_is_remembered_and_the_former_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with cancellable() as cancelled:
        assert not cancelled()
        signal.raise_signal(signal.SIGTERM)
        assert cancelled()
    assert signal.getsignal(signal.SIGTERM) is before
