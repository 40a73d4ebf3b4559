"""What became of a run, step by step: for the person who finds it failed in the morning.

Kubeflow Pipelines tells an exit handler only whether the run failed. The rest comes from its API or, on one machine, from the notes that
the runner takes. Nothing here may fail: a summary that cannot be complete says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from headgate_components.kubeflow_runs import Task, steps_of, why
from headgate_components.rest import Server, Token
from headgate_components.step import StepError

NOTES = "HEADGATE_RUN_NOTES"
"""Environment variable: the file in which a local runner notes each step that ended, one JSON object a line."""

TOKEN = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Where Kubeflow Pipelines' own client looks for the projected token that its API asks for in multi-user mode."""

_FAILED = frozenset({"FAILED", "CANCELED"})
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Step:
    """A step that ran, or was to run."""

    name: str
    state: str
    """SUCCEEDED, FAILED, SKIPPED, CACHED, … in the words of Kubeflow Pipelines."""

    seconds: float | None = None
    sentence: str = ""
    """Why it failed."""

    reports: tuple[str, ...] = ()
    """Files of its HTML reports, where they can be read from outside."""


def read_notes(path: Path) -> list[Step]:
    """The steps that a local runner noted.

    Raises:
        StepError: the notes cannot be read.
    """
    try:
        notes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [Step(**note | {"reports": tuple(note.get("reports", ()))}) for note in notes]
    except (OSError, ValueError, TypeError) as error:
        raise StepError(f"the notes '{path}' cannot be read: {error}") from error


def ask(api: str, run: str) -> list[Step]:
    """The steps of a run as the API of Kubeflow Pipelines knows them, in the order they were made.

    Raises:
        StepError: the API cannot be asked, or answers something else.
    """
    server = Server(url=api, token=Token(file=TOKEN) if TOKEN.exists() else Token(), timeout=_TIMEOUT_SECONDS)
    found = server.get(f"/apis/v2beta1/runs/{run}")
    try:
        return [_from_task(task) for task in sorted(steps_of(found), key=lambda task: task.get("create_time") or "")]
    except (AttributeError, TypeError, ValueError) as error:
        raise StepError(f"{api} answered something that is not a run; is it the API of Kubeflow Pipelines (v2beta1)?") from error


def render(pipeline: str, state: str, steps: Sequence[Step], *, remark: str = "") -> str:
    """The summary as Markdown: the outcome and what stopped it first, then every step."""
    stopped = [step for step in steps if step.state in _FAILED]
    lines = [f"# {pipeline}: {state.lower()}", ""]
    lines += [f"**{step.name}** failed: {step.sentence or 'its log says why'}" for step in stopped]
    lines += [remark] if remark else []
    if steps:
        lines += ["", "| step | | seconds | report |", "| --- | --- | ---: | --- |", *(_row(step) for step in steps)]
    return "\n".join(lines) + "\n"


def _row(step: Step) -> str:
    seconds = "" if step.seconds is None else f"{step.seconds:.1f}"
    reports = ", ".join(f"[{Path(report).parent.name}]({report})" for report in step.reports)
    return f"| {step.name} | {step.state.lower()} | {seconds} | {reports} |"


def _from_task(task: Task) -> Step:
    return Step(
        name=str(task["display_name"]),
        state=str(task.get("state") or "PENDING"),
        seconds=_seconds(task.get("start_time"), task.get("end_time")),
        sentence=why(task),
    )


def _seconds(start: str | None, end: str | None) -> float | None:
    if not start or not end:
        return None
    took = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return took if took >= 0 else None
