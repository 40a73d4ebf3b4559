"""A search as JSON and as an HTML page."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from headgate_components import html
from headgate_components.training.tune.search import TREES, TUNED

_OUTCOMES = {TrialState.COMPLETE: "done", TrialState.PRUNED: "given up", TrialState.FAIL: "interrupted"}
_COLUMNS = {"trial": "trial", "outcome": "outcome", "log loss": "logLoss", "trees": "trees", "seconds": "seconds"}
"""What the page calls the members of a trial."""


def as_json(study: optuna.Study, best: dict[str, float | int]) -> dict[str, Any]:
    """The best settings with their loss, those the search began with, and every trial."""
    trials = [_trial(trial) for trial in study.get_trials(deepcopy=False) if trial.state in _OUTCOMES]
    return {
        "study": study.study_name,
        "best": {"trial": study.best_trial.number + 1, "logLoss": study.best_value, "settings": best},
        "trials": trials,
    }


def render(content: dict[str, Any], seconds: float) -> str:
    """The page: what is best, and all trials, the best first."""
    trials, best = content["trials"], content["best"]
    done = [trial for trial in trials if trial["outcome"] == "done"]
    gained = done[0]["logLoss"] - best["logLoss"]
    summary = (
        f"{len(trials)} trials, {len(done)} of them to their end, in {seconds:.0f} s. The best has a log loss of {best['logLoss']:.5f}, "
        f"{gained:.5f} less than the settings the search began with."
    )
    order = sorted(trials, key=lambda trial: (trial["outcome"] != "done", trial["logLoss"] or 0.0))
    rows = [[*(trial[name] for name in _COLUMNS.values()), *(trial["settings"].get(name) for name in TUNED)] for trial in order]
    sections = [
        html.note(summary),
        html.table("Best settings", ("setting", "value"), list(best["settings"].items())),
        html.table("Trials", (*_COLUMNS, *TUNED), rows),
    ]
    return html.page("Tuning", sections)


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    reported = list(trial.intermediate_values.values())
    loss = trial.value if trial.state is TrialState.COMPLETE else min(reported, default=None)
    return {
        "trial": trial.number + 1,
        "outcome": _OUTCOMES[trial.state],
        "logLoss": loss,
        "trees": trial.user_attrs.get(TREES),
        "seconds": round(trial.duration.total_seconds(), 1) if trial.duration else None,
        "settings": trial.params,
    }
