"""Waits for a run to end, and tells what happens meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from headgate_components.rest import UnreachableError
from headgate_components.step import StepError
from headgate_pipelines.kubeflow.api import Kubeflow, Object
from headgate_pipelines.kubeflow.submission import ENDED, WELL

PAUSE_SECONDS = 5.0
_WAITING = frozenset({"", "PENDING", "RUNTIME_STATE_UNSPECIFIED"})
_GROUPS = ("root", "exit-handler-", "condition-")


@dataclass(frozen=True)
class Clock:
    """Seconds that pass, so that a test need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


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
    clock = clock or Clock()
    deadline = clock.now() + seconds
    told: dict[str, str] = {}
    state = "not seen yet"
    while True:
        try:
            run = kubeflow.run(run_id)
        except UnreachableError as error:
            state = f"not known ({error})"
        else:
            state = str(run.get("state") or "PENDING")
            _tell_changes(run, told, tell)
            if state in WELL:
                return
            if state in ENDED:
                raise StepError(f"the run {run_id} ended {state.lower()}: {_reason(run)}")
        if clock.now() >= deadline:
            raise StepError(f"the run {run_id} did not end within {seconds:g} s; it is {state.lower()} and goes on")
        clock.sleep(min(PAUSE_SECONDS, max(0.0, deadline - clock.now())))


def _tell_changes(run: Object, told: dict[str, str], tell: Callable[[str], None]) -> None:
    for task in _steps(run):
        name, state = str(task.get("display_name")), str(task.get("state") or "")
        if state not in _WAITING and told.get(name) != state:
            told[name] = state
            tell(f"{name} {state.lower()}")


def _reason(run: Object) -> str:
    """Which steps failed, in the words of the API if it has any."""
    failed = [task for task in _steps(run) if task.get("state") in ENDED - WELL]
    said = [f"{task.get('display_name')}{_because(task)}" for task in failed]
    message = " ".join(str((run.get("error") or {}).get("message") or "").split())
    return "; ".join(part for part in (message, *said) if part) or "the API does not say why; the run's page shows its steps and logs"


def _because(task: Object) -> str:
    message = " ".join(str((task.get("error") or {}).get("message") or "").split())
    return f" ({message})" if message else ""


def _steps(run: Object) -> list[Object]:
    """The tasks that are steps: the API also lists the groups that hold them, and the drivers that start them."""
    tasks = (run.get("run_details") or {}).get("task_details") or []
    named = [(str(task.get("display_name") or ""), task) for task in tasks]
    return [task for name, task in named if name and not name.startswith(_GROUPS) and "driver" not in name]
