"""Runs a pipeline on this machine, each step a process of this environment, with a cache across runs."""

import contextlib
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from headgate_components.deployment.summarize_run.logic import NOTES
from headgate_components.threads import PASSIVE, WAIT_POLICY
from headgate_pipelines.notes import NOTES_FILE, Notes, html_outputs
from headgate_pipelines.transcript import StepRun, Transcript

LOG_FILE = "pipeline.log"
SUMMARY = "*/summarize-run/summary"


class PipelineError(Exception):
    """The pipeline failed; the message is what the failing step said."""

    def __init__(self, sentence: str, summary: Path | None = None) -> None:
        super().__init__(sentence)
        self.summary = summary
        """What ran, and why it ended; None if nothing did."""


@dataclass(frozen=True)
class Progress:
    """Who hears about the steps: `started(number, name)` and `ended(run)`."""

    started: Callable[[int, str], None]
    ended: Callable[[StepRun], None]


@dataclass(frozen=True)
class LocalRun:
    """A pipeline that ran to its end."""

    artifacts: Path
    """The folder of what its steps made; what came from the cache is in the folder of an earlier run."""

    steps: tuple[StepRun, ...]

    def file(self, step: str, output: str) -> Path:
        """The file that a step of this run made.

        Raises:
            PipelineError: it made none.
        """
        found = sorted(self.artifacts.glob(f"*/{step}/{output}"))
        if not found:
            raise PipelineError(f"the step {step} wrote no {output}; the log is in {self.artifacts.parents[1] / LOG_FILE}")
        return found[-1]

    def value(self, step: str) -> str:
        """What a step of this run returned.

        Raises:
            PipelineError: it returned nothing.
        """
        written = json.loads(self.file(step, "executor_output.json").read_text(encoding="utf-8"))
        if "Output" not in (found := written.get("parameterValues", {})):
            raise PipelineError(f"the step {step} returned nothing")
        return str(found["Output"])


def run_locally(pipeline: Any, arguments: Mapping[str, Any], folder: Path, progress: Progress) -> LocalRun:
    """Runs a kfp pipeline.

    Args:
        pipeline: what `@dsl.pipeline` returned.
        arguments: its parameters.
        folder: where artifacts, cache and log go; runs that share it reuse each other's steps.
        progress: who hears about the steps.

    Raises:
        PipelineError: a step failed, or this environment cannot run steps.
        OSError: the folder cannot be written.
    """
    _refuse_spaces()
    artifacts = folder / "artifacts" / f"{pipeline.name}-{datetime.now():%Y%m%d-%H%M%S-%f}"  # noqa: DTZ005 - for people
    artifacts.mkdir(parents=True)
    notes = Notes(artifacts / NOTES_FILE, artifacts, folder / "cache", html_outputs(pipeline.pipeline_spec))
    notes.file.touch()

    def ended(run: StepRun) -> None:
        notes.take(run)
        progress.ended(run)

    with (folder / LOG_FILE).open("w", encoding="utf-8") as file:
        transcript = Transcript(file, lambda name: progress.started(len(transcript.steps) + 1, name), ended)
        passive = _environment(WAIT_POLICY, PASSIVE)
        with _listening(transcript), _scratch(folder), passive, _environment(NOTES, str(notes.file)):
            _run(pipeline, arguments, folder, artifacts, transcript)
    return LocalRun(artifacts=artifacts, steps=tuple(transcript.steps))


def _run(pipeline: Any, arguments: Mapping[str, Any], folder: Path, artifacts: Path, transcript: Transcript) -> None:
    from kfp import local

    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(artifacts),
        workspace_root=tempfile.mkdtemp(prefix="kfp-"),
        enable_caching=True,
        cache_root=str(folder / "cache"),
    )
    try:
        pipeline(**arguments)
    except RuntimeError as error:
        if transcript.failed is None:
            raise
        # kfp's own words are "Inner task failed"; the step's are better.
        raise PipelineError(transcript.failed.sentence, next(artifacts.glob(SUMMARY), None)) from error


@contextlib.contextmanager
def _listening(transcript: Transcript) -> Iterator[None]:
    root = logging.getLogger()
    handler = logging.StreamHandler(transcript)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # kfp tells about cache hits outside of its own logging context
    try:
        with contextlib.redirect_stdout(transcript), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """A temporary folder for the steps: kfp leaves a folder behind for each of them."""
    with tempfile.TemporaryDirectory(prefix="steps-", dir=folder) as scratch, _environment("TMPDIR", scratch):
        yield


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Sets a variable for the steps, which inherit ours."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _refuse_spaces() -> None:
    if " " in sys.executable:
        raise PipelineError(
            f"the environment's path '{sys.executable}' contains a space, which pipeline steps cannot handle; move it to a path without one"
        )
