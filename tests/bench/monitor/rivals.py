"""Other tools in environments of their own below build/bench, made with uv: they pin what Headgate does not use."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path("build/bench")
_SCRIPT = Path(__file__).with_name("rival.py")
_INSTALLING, _RUNNING = 600, 300  # seconds
_QUIET = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Two of them would tell their makers of every run."""


@dataclass(frozen=True)
class Rival:
    """A tool and what it is installed with: the newest release that may be used in production, and what it does not say it needs."""

    name: str
    requirements: tuple[str, ...]


RIVALS = (
    Rival(
        "alibi-detect",
        ("alibi-detect==0.11.4", "numba>=0.57,<0.58", "scipy<1.12", "numpy<1.25", "pydantic<2", "pillow<10", "scikit-image<0.22",
         "transformers<5", "pandas<3"),
    ),
    Rival("evidently", ("evidently==0.7.23", "pandas<3")),
    Rival("nannyml", ("nannyml==0.13.1", "statsmodels")),
)  # fmt: skip


class RivalError(Exception):
    """It could not be installed or run; the message is its own last line."""


def time_windows(rival: Rival, sizes: tuple[int, int, int], repeats: int) -> tuple[float, float]:
    """Return median and worst milliseconds of processor time a window; sizes are reference rows, window rows, features.

    Raises:
        RivalError: it could not be installed or run.
    """
    python = _installed(rival)
    said = _run([str(python), str(_SCRIPT), rival.name, *map(str, (*sizes, repeats))], _RUNNING)
    found = json.loads(said.splitlines()[-1])
    return found["median"], found["worst"]


def _installed(rival: Rival) -> Path:
    folder = _FOLDER / rival.name
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        uv = os.environ.get("UV") or shutil.which("uv") or ".uv/bin/uv"
        _run([uv, "venv", "--quiet", "--clear", "--python", "3.11", str(folder)], _INSTALLING)
        # What is only to be had as source would be compiled for an hour and fail.
        _run([uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", str(python), *rival.requirements], _INSTALLING)
        done.touch()
    return python


def _run(command: list[str], seconds: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, env={**os.environ, **_QUIET, "PYTHONPATH": ""}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RivalError(str(error)) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise RivalError(lines[-1] if lines else f"it ended with {done.returncode}")
    return done.stdout
