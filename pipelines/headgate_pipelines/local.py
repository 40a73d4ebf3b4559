"""Runs a pipeline on this machine, each step a process of this environment, with a cache across runs."""

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_pipelines.transcript import StepRun, Transcript

LOG_FILE = "pipeline.log"


class PipelineError(Exception):
    """The pipeline failed; the message is what the failing step said."""


@dataclass(frozen=True)
class Progress:
    """Who hears about the steps: `started(number, of, name)` and `ended(run)`."""

    started: Callable[[int, int, str], None]
    ended: Callable[[StepRun], None]


@dataclass(frozen=True)
class LocalRun:
    """A pipeline that ran to its end."""

    output: Path
    """The file of the pipeline's output artifact."""

    steps: tuple[StepRun, ...]


def run_locally(pipeline: Any, arguments: Mapping[str, Any], folder: Path, progress: Progress) -> LocalRun:
    """Runs a kfp pipeline that returns one artifact.

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
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_FILE
    total = len(pipeline.pipeline_spec.root.dag.tasks)
    with log.open("w", encoding="utf-8") as file:
        transcript = Transcript(file, lambda name: progress.started(len(transcript.steps) + 1, total, name), progress.ended)
        with _listening(transcript), _scratch(folder):
            output = _run(pipeline, arguments, folder, transcript, log)
    return LocalRun(output=output, steps=tuple(transcript.steps))


def _run(pipeline: Any, arguments: Mapping[str, Any], folder: Path, transcript: Transcript, log: Path) -> Path:
    from kfp import local

    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "artifacts"),
        workspace_root=tempfile.mkdtemp(prefix="kfp-"),
        enable_caching=True,
        cache_root=str(folder / "cache"),
    )
    try:
        return Path(pipeline(**arguments).output.path)
    except RuntimeError as error:
        # kfp's own words are "Inner task failed"; the step's are better.
        if transcript.sentences:
            raise PipelineError(transcript.sentences[-1]) from error
        if transcript.failed:
            last = transcript.last_line or "it ended without a word"
            raise PipelineError(f"{transcript.failed}: {last}; its output is in {log}") from error
        raise


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
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="steps-", dir=folder) as scratch:
        os.environ["TMPDIR"] = scratch
        try:
            yield
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before


def _refuse_spaces() -> None:
    if " " in sys.executable:
        raise PipelineError(
            f"the environment's path '{sys.executable}' contains a space, which pipeline steps cannot handle; move it to a path without one"
        )
