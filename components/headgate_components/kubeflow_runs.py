"""What the API of Kubeflow Pipelines says about the steps of a run."""

from collections.abc import Mapping
from typing import Any

_GROUPS = ("root", "exit-handler-", "condition-")
_DRIVER = "-driver"

Task = Mapping[str, Any]


def steps_of(run: Mapping[str, Any]) -> list[Task]:
    """The tasks that are steps: the API also lists the groups that hold them, and the drivers that start them.

    A driver that failed is all there is of a step that never began.
    """
    tasks = (run.get("run_details") or {}).get("task_details") or []
    named = [(str(task.get("display_name") or ""), task) for task in tasks]
    steps = [(name, task) for name, task in named if name and not name.startswith(_GROUPS)]
    return [task for name, task in steps if _DRIVER not in name or task.get("state") == "FAILED"]


def why(failed: Mapping[str, Any]) -> str:
    """What the API says on one line about a task or a run that failed; nothing if it says nothing."""
    return " ".join(str((failed.get("error") or {}).get("message") or "").split())
