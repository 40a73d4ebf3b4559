"""What a bench hands back: tables that are printed, and the same numbers as JSON under build/bench/."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

Cell = str | int | float

_PACKAGES = ("kopf", "kubernetes", "aiohttp", "pydantic", "numpy")
"""What the figures depend on most, beside our own code."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of equal length under named columns; numbers stay numbers in the JSON."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one bench measured, and what it missed of what is promised."""

    tables: list[Table]
    missed: list[str] = field(default_factory=list)
    """Promises that were not kept in this run, one sentence each."""


def write(name: str, report: Report, *, seconds: float, folder: Path) -> Path:
    """Write build/bench/NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
    about = {"bench": name, "seconds": round(seconds, 1), "machine": machine, "commit": _commit(), "versions": _versions()}
    path.write_text(json.dumps({**about, **asdict(report)}, indent=2) + "\n")
    return path


def _commit() -> str:
    """What was measured; with a plus if the tree had changes that are not in it."""
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return said.stdout.strip()


def _versions() -> dict[str, str]:
    return {package: version(package) for package in _PACKAGES}


def show(report: Report, console: Console) -> None:
    """Print the tables, then what was missed."""
    for table in report.tables:
        drawn = RichTable(title=table.title, title_justify="left", caption=table.note or None, caption_justify="left")
        for index, column in enumerate(table.columns):
            drawn.add_column(column, justify="left" if index == 0 else "right")
        for row in table.rows:
            drawn.add_row(*(_text(cell) for cell in row))
        console.print(drawn)
    for sentence in report.missed:
        console.print(f"missed: {sentence}")


def _text(cell: Cell) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
