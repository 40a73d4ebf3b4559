"""Measure what the README promises: `python -m tests.bench [--quick] [NAME …]`.

A bench is a module or package beside this file with `run(*, quick: bool) -> Report` (report.py); its name is the module's. Without names
all of them run. Results go to build/bench/NAME.json. Nothing here is a test: figures depend on the machine.
"""

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

import tests.bench
from tests.bench.report import Report, show, write

_NOT_A_BENCH = {"__main__", "report"}
_RESULTS = Path("build/bench")
_PAPER = 160
"""Columns where there is no terminal to ask."""


def main(arguments: list[str]) -> int:
    names = sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name not in _NOT_A_BENCH)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the README promises.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for trying a bench out")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - set(names)
    if unknown:
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    console = Console() if sys.stdout.isatty() else Console(width=_PAPER)
    for name in chosen.names or names:
        run: Callable[..., Report] = importlib.import_module(f"tests.bench.{name}").run
        began = time.perf_counter()
        report = run(quick=chosen.quick)
        show(report, console)
        console.print(f"{name}: {write(name, report, seconds=time.perf_counter() - began, folder=_RESULTS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
