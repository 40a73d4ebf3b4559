"""The search: which settings to try next, when to give up a trial, when to stop.

Seeded by the number of finished trials, so that a search that was killed and goes on tries what it would have tried anyway.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from headgate_components.step import StepError
from headgate_components.training.settings import Settings
from headgate_components.training.tune.folds import Fold, grow
from headgate_components.training.tune.memory import finished

STARTING_TRIALS = 5
"""Trials at random before the sampler learns from them; the first is the given settings."""

PRUNED_AFTER = 3
"""Finished trials before any is given up."""

PROGRESS = 0.5
"""Trees times learning rate between two reports. Trials are compared at equal progress, else small learning rates would always lose."""

WARM_UP = 2

TUNED = ("max_depth", "learning_rate", "subsample", "colsample_bytree", "min_child_weight")
"""The first trial has these as given, so where they are outside of what is searched, the search reaches out to them."""

TREES = "trees"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Budget:
    """When to stop, whichever comes first; trials and seconds of a former process count."""

    trials: int
    seconds: float

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise StepError(f"{self.trials} trials are not possible; allowed are 1 or more")
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise StepError(f"a budget of {self.seconds:g} seconds is not possible; allowed is more than 0")


class CancelledError(Exception):
    """Somebody asked the step to stop."""


@dataclass(frozen=True)
class _Grown:
    loss: float
    trees: int
    pruned: bool = False
    cut: bool = False
    """Whether time was up before it was done."""


def pruner() -> optuna.pruners.BasePruner:
    """Gives up a trial that is worse than half of the others at the same progress."""
    return optuna.pruners.MedianPruner(n_startup_trials=PRUNED_AFTER, n_warmup_steps=WARM_UP)


def search(study: optuna.Study, folds: Sequence[Fold], base: Settings, budget: Budget, *, cancelled: Callable[[], bool], say: Say) -> None:
    """Tries settings until the budget is used up; the study has the outcome.

    Raises:
        CancelledError: `cancelled` said so between two trees.
        StepError: XGBoost refuses to train.
    """
    spent = sum(trial.duration.total_seconds() for trial in finished(study) if trial.duration)
    deadline = time.monotonic() + budget.seconds - spent
    while not (done := len(finished(study))) or (done < budget.trials and time.monotonic() < deadline):
        trial = _asked(study, base, done)
        try:
            grown = _grow(trial, folds, replace(base, **_suggested(trial, base)), deadline, cancelled)
        except (CancelledError, StepError):
            study.tell(trial, state=TrialState.FAIL)
            raise
        _tell(study, trial, grown, only=not done)
        say(_line(study, trial, grown))


def best_settings(study: optuna.Study, base: Settings) -> dict[str, float | int]:
    """What was best, and the number of trees that was the limit: early stopping goes on finding the right one."""
    return {**study.best_trial.params, TREES: base.trees}


def _asked(study: optuna.Study, base: Settings, done: int) -> optuna.Trial:
    seed = int(np.random.SeedSequence([base.seed, done]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTING_TRIALS)
    if not done and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial({name: getattr(base, name) for name in TUNED})
    return study.ask()


def _suggested(trial: optuna.Trial, base: Settings) -> dict[str, Any]:
    def number(name: str, low: float, high: float, *, log: bool = False) -> float:
        given = getattr(base, name)
        return trial.suggest_float(name, min(low, given), max(high, given), log=log)

    return {
        "max_depth": trial.suggest_int("max_depth", min(3, base.max_depth), max(10, base.max_depth)),
        "learning_rate": number("learning_rate", 0.02, 0.3, log=True),
        "subsample": number("subsample", 0.5, 1.0),
        "colsample_bytree": number("colsample_bytree", 0.3, 1.0),
        "min_child_weight": number("min_child_weight", 1.0, 100.0, log=base.min_child_weight > 0),
    }


def _grow(trial: optuna.Trial, folds: Sequence[Fold], settings: Settings, deadline: float, cancelled: Callable[[], bool]) -> _Grown:
    best, trees, reported = math.inf, 0, 0
    for tree, loss in enumerate(grow(folds, settings), start=1):
        if loss < best:
            best, trees = loss, tree
        if cancelled():
            raise CancelledError
        if tree - trees >= settings.early_stopping_rounds > 0:
            break
        if time.monotonic() >= deadline:
            return _Grown(best, trees, cut=True)
        if (step := int(tree * settings.learning_rate / PROGRESS)) > reported:
            reported = step
            trial.report(loss, step)
            if trial.should_prune():
                return _Grown(best, trees, pruned=True)
    return _Grown(best, trees)


def _tell(study: optuna.Study, trial: optuna.Trial, grown: _Grown, *, only: bool) -> None:
    trial.set_user_attr(TREES, grown.trees)
    if grown.cut and not only:
        study.tell(trial, state=TrialState.FAIL)
    elif grown.pruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, grown.loss)


def _line(study: optuna.Study, trial: optuna.Trial, grown: _Grown) -> str:
    outcome = "time is up" if grown.cut else "given up" if grown.pruned else "done"
    best = f"the best is {study.best_value:.5f} of trial {study.best_trial.number + 1}"
    return f"trial {trial.number + 1}: log loss {grown.loss:.5f} after {grown.trees} trees, {outcome}; {best}"
