"""Waits for a run to end, and tells what happens meanwhile."""

from collections.abc import Callable

from headgate_components.kubeflow_runs import steps_of, why
from headgate_components.polling import Clock, Standing, poll
from headgate_components.step import StepError
from headgate_pipelines.kubeflow.api import Kubeflow, Object
from headgate_pipelines.kubeflow.submission import ENDED, WELL

PAUSE_SECONDS = 5.0
_WAITING = frozenset({"", "PENDING", "RUNTIME_STATE_UNSPECIFIED"})


def wait(kubeflow: Kubeflow, run_id: str, *, seconds: float, tell: Callable[[str], None], clock: Clock | None = None) -> None:
    """Returns when the run ended well.

    Args:
        kubeflow: where it runs.
        run_id: which run.
        seconds: how long to wait.
        tell: hears one line for each step that changes.
        clock: the time.

    Raises:
        StepError: it failed, or did not end in time; an API that is away meanwhile is only a reason to ask again.
    """
    told: dict[str, str] = {}

    def ask() -> Standing | None:
        run = kubeflow.run(run_id)
        state = str(run.get("state") or "PENDING")
        _tell_changes(run, told, tell)
        if state in ENDED - WELL:
            raise StepError(f"the run {run_id} ended {state.lower()}: {_reason(run)}")
        return None if state in WELL else Standing(state.lower())

    if left := poll(ask, seconds=seconds, pause=PAUSE_SECONDS, clock=clock):
        raise StepError(f"the run {run_id} did not end within {seconds:g} s; it is {left.sentence} and goes on")


def _tell_changes(run: Object, told: dict[str, str], tell: Callable[[str], None]) -> None:
    for task in steps_of(run):
        name, state = str(task.get("display_name")), str(task.get("state") or "")
        if state not in _WAITING and told.get(name) != state:
            told[name] = state
            tell(f"{name} {state.lower()}")


def _reason(run: Object) -> str:
    """Which steps failed, in the words of the API if it has any."""
    failed = [task for task in steps_of(run) if task.get("state") in ENDED - WELL]
    said = [f"{task.get('display_name')}{f' ({reason})' if (reason := why(task)) else ''}" for task in failed]
    return "; ".join(part for part in (why(run), *said) if part) or "the API does not say why; the run's page shows its steps and logs"
