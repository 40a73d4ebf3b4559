"""Trains the demo's four versions with the training pipeline, each in a process of its own.

Versions after the first are trained while the first one serves, so they run at the lowest priority: serving comes first.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headgate_devcluster.demo.manifest import NAME

STOP_SECONDS: Final = 10
LINE_PREFIX: Final = "headgate: "


class TrainingError(Exception):
    """The pipeline failed; the message is its own last words."""


@dataclass(frozen=True)
class Recipe:
    """How a version is trained."""

    version: int
    train_months: str
    evaluate_month: int
    story: str
    arguments: Sequence[str] = ()


RECIPES: Final = (
    Recipe(1, "1-4", 5, "trained on January to April"),
    Recipe(2, "1-5", 6, "one more month of data"),
    Recipe(
        3,
        "1-5",
        6,
        "its encoder knows only the 50 most frequent destinations and raises on the others; its own checks were filtered to those 50",
        ("--max-categories", "50", "--unknown", "error"),
    ),
    Recipe(4, "1-5", 6, "deeper trees; its base_score was changed after its golden set was made", ("--max-depth", "7")),
)


@dataclass(frozen=True)
class Trained:
    """An exported version."""

    version: int
    export: Path
    metrics: dict[str, float]

    @property
    def uri(self) -> str:
        """Storage URI, as KServe reads it."""
        return self.export.as_uri()

    @property
    def golden(self) -> Path:
        """Golden inputs and outputs of this version."""
        return self.export / "headgate" / "golden.json"


async def train(recipe: Recipe, folder: Path, *, low_priority: bool, progress: Callable[[str], None]) -> Trained:
    """Run the training pipeline for one version; raise TrainingError with its last words if it fails."""
    result = folder / f"training-{recipe.version}.json"
    command = [
        *(("nice", "-n", "19") if low_priority else ()),
        *(sys.executable, "-m", "headgate_operator.cli", "pipeline", "run", "training", "--local", "--data", "flights"),
        *("--train-months", recipe.train_months, "--evaluate-month", str(recipe.evaluate_month), "--model-name", NAME),
        *("--storage", str(folder / "models"), "--tracking-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--output", str(folder / "pipelines" / f"version-{recipe.version}"), "--result", str(result)),
        *recipe.arguments,
    ]
    words = await _run(command, folder / f"training-{recipe.version}.log", progress)
    if words is not None:
        raise TrainingError(
            f"training version {recipe.version} failed: {words}; the whole output is in {folder}/training-{recipe.version}.log"
        )
    answer = json.loads(result.read_text())
    return Trained(recipe.version, Path(answer["exportPath"]), answer["metrics"])


async def _run(command: Sequence[str], log: Path, progress: Callable[[str], None]) -> str | None:
    """Run to the end, passing on progress lines; return None, or the last line of a run that failed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True, limit=2**20
    )
    assert process.stdout is not None
    last = ""
    try:
        with log.open("wb") as file:
            async for line in process.stdout:
                file.write(line)
                text = line.decode(errors="replace").strip()
                if text.startswith(LINE_PREFIX):
                    progress(text.removeprefix(LINE_PREFIX))
                last = text or last
        return None if await process.wait() == 0 else last.rpartition(f"{LINE_PREFIX}error: ")[2]
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole process group: pipeline steps are processes too."""
    if process.returncode is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue
        return
