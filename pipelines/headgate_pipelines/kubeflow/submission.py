"""Submits and schedules a pipeline: again and again with the same outcome.

What is the same has the same name: a version is named by the hash of what was compiled, a run by its version and parameters. So a
submission that is repeated, by a person or after a lost answer, finds what it made and makes nothing twice.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from headgate_pipelines.compiled import version_name, write_compiled
from headgate_pipelines.kubeflow.api import Kubeflow, Object

ENDED = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})
WELL = frozenset({"SUCCEEDED", "SKIPPED"})
_DIGITS = 8


@dataclass(frozen=True)
class Compiled:
    """A pipeline as it is uploaded."""

    name: str
    version: str
    content: bytes
    spec: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> "Compiled":
        """Compiles one of ours."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.yaml"
            write_compiled(name, path)
            text = path.read_text(encoding="utf-8")
        return cls(name, version_name(name, text), text.encode(), next(yaml.safe_load_all(text)))


@dataclass(frozen=True)
class Submitted:
    """A run, and whether this submission started it."""

    run_id: str
    name: str
    started: bool


@dataclass(frozen=True)
class Schedule:
    """When runs are to start: either by cron (six fields, the first one seconds) or every so many seconds."""

    cron: str = ""
    seconds: int = 0
    paused: bool = False

    @property
    def trigger(self) -> Object:
        """As the API wants it."""
        return {"cron_schedule": {"cron": self.cron}} if self.cron else {"periodic_schedule": {"interval_second": str(self.seconds)}}


@dataclass(frozen=True)
class Scheduled:
    """A recurring run, and what was done to get there."""

    recurring_run_id: str
    name: str
    done: str
    """`made`, `replaced`, `paused`, `resumed` or `unchanged`."""


def ensure_version(kubeflow: Kubeflow, compiled: Compiled) -> Object:
    """The reference of the version that was compiled; pipeline and version are made if they are not there."""
    pipeline_id = kubeflow.pipeline(compiled.name, compiled.spec["pipelineInfo"].get("description", ""))
    version_id = kubeflow.version(pipeline_id, compiled.version) or kubeflow.upload(pipeline_id, compiled.version, compiled.content)
    return {"pipeline_id": pipeline_id, "pipeline_version_id": version_id}


def submit(kubeflow: Kubeflow, compiled: Compiled, *, experiment: str, parameters: dict[str, Any], name: str = "") -> Submitted:
    """Starts a run, unless the same one is under way or ended well.

    Args:
        kubeflow: where.
        compiled: what.
        experiment: the experiment; it is made if it does not exist.
        parameters: values by name, in the types that the pipeline declares.
        name: the run's display name; by default one that says what runs.

    Raises:
        ServerError: the API refuses or cannot be reached.
    """
    experiment_id = kubeflow.experiment(experiment)
    reference = ensure_version(kubeflow, compiled)
    display_name = name or run_name(compiled, parameters)
    for run in kubeflow.runs(display_name, experiment_id)[:1]:
        if run.get("state") not in ENDED - WELL:
            return Submitted(str(run["run_id"]), display_name, started=False)
    body = {
        "display_name": display_name,
        "experiment_id": experiment_id,
        "pipeline_version_reference": reference,
        "runtime_config": {"parameters": parameters},
    }
    return Submitted(str(kubeflow.start(body).get("run_id", "")), display_name, started=True)


def run_name(compiled: Compiled, parameters: dict[str, Any]) -> str:
    """Such as training-3f9a1c02: the same for the same version and parameters."""
    content = json.dumps([compiled.version, parameters], sort_keys=True)
    return f"{compiled.name}-{hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]}"


def schedule(
    kubeflow: Kubeflow, compiled: Compiled, when: Schedule, *, experiment: str, parameters: dict[str, Any], name: str
) -> Scheduled:
    """Makes the recurring run of this name what it is to be.

    A recurring run cannot be changed, so another one takes its place: the new one is made before the old ones go. Should this end in
    between, the next call finds both and removes the old ones.

    Raises:
        ServerError: the API refuses or cannot be reached.
    """
    experiment_id = kubeflow.experiment(experiment)
    body: Object = {
        "display_name": name,
        "experiment_id": experiment_id,
        "pipeline_version_reference": ensure_version(kubeflow, compiled),
        "runtime_config": {"parameters": parameters},
        "trigger": when.trigger,
        "max_concurrency": "1",
        "no_catchup": True,
        "mode": "DISABLE" if when.paused else "ENABLE",
        **({"namespace": kubeflow.namespace} if kubeflow.namespace else {}),
    }
    there = kubeflow.recurring_runs(name, experiment_id)
    same = [found for found in there if _says_the_same(found, body)]
    kept = same[0] if same else kubeflow.schedule(body)
    others = [found for found in there if found is not kept]
    for other in others:
        kubeflow.unschedule(str(other["recurring_run_id"]))
    return Scheduled(str(kept["recurring_run_id"]), name, _switched(kubeflow, kept, when) if same else "replaced" if others else "made")


def unschedule(kubeflow: Kubeflow, *, experiment: str, name: str) -> int:
    """Removes the recurring runs of this name and returns how many there were."""
    there = kubeflow.recurring_runs(name, kubeflow.experiment(experiment))
    for found in there:
        kubeflow.unschedule(str(found["recurring_run_id"]))
    return len(there)


def _says_the_same(found: Object, body: Object) -> bool:
    """Servers add fields, and drop empty ones; only what was asked for is compared."""
    trigger = found.get("trigger") or {}
    due = all((trigger.get(kind) or {}).get(key) == value for kind, wanted in body["trigger"].items() for key, value in wanted.items())
    what = found.get("pipeline_version_reference") == body["pipeline_version_reference"]
    parameters = (found.get("runtime_config") or {}).get("parameters") or {}
    return due and what and bool(parameters == body["runtime_config"]["parameters"])


def _switched(kubeflow: Kubeflow, found: Object, when: Schedule) -> str:
    on = found.get("status", found.get("mode")) not in ("DISABLED", "DISABLE")
    if on == (not when.paused):
        return "unchanged"
    kubeflow.switch(str(found["recurring_run_id"]), on=not when.paused)
    return "paused" if when.paused else "resumed"
