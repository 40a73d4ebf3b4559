"""`headgate dev logs`: what the parts of a cluster wrote, also after its end."""

import time
from collections import deque
from pathlib import Path
from typing import IO, Final

import click

from headgate_devcluster.dev.options import Refusal, with_folder
from headgate_devcluster.dev.up import LOG
from headgate_devcluster.dev.waiting import POLL_SECONDS
from headgate_devcluster.lock import supervisor

_CLUSTER: Final = "cluster"


@click.command()
@click.argument("part", required=False)
@with_folder
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines, until Ctrl-C or the end of the cluster.")
@click.option("--tail", type=click.IntRange(min=0), help="The last lines only; default: all of one part, 10 each of several.")
def logs(part: str | None, folder: Path, follow: bool, tail: int | None) -> None:
    """Print the log of a PART (`operator`, `envoy`, `cluster`, a Pod or the beginning of its name), or of all parts."""
    files = _files(folder)
    chosen = {name: path for name, path in files.items() if not part or name == part} or {
        name: path for name, path in files.items() if part and name.startswith(part)
    }
    if not chosen:
        raise Refusal(_nothing(part, folder, files))
    lines = tail if tail is not None else None if len(chosen) == 1 else 10
    width = max(map(len, chosen)) if len(chosen) > 1 else 0
    opened = {name: path.open(errors="replace") for name, path in chosen.items()}
    try:
        for name, file in opened.items():
            _print(deque(file, maxlen=lines), name, width)
        while follow and supervisor(folder) is not None:
            for name, file in opened.items():
                _print(file, name, width)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        for file in opened.values():
            file.close()


def _files(folder: Path) -> dict[str, Path]:
    named = {_CLUSTER: folder / LOG, "envoy": folder / "envoy" / "envoy.log"}
    return {name: path for name, path in named.items() if path.is_file()} | {
        path.stem: path for path in sorted((folder / "logs").glob("*.log"))
    }


def _nothing(part: str | None, folder: Path, files: dict[str, Path]) -> str:
    if not files:
        return f"no cluster has written logs in {folder}; start one with `headgate dev up --folder {folder}`"
    return f"there is no log of {part} in {folder}; there are {', '.join(files)}"


def _print(lines: IO[str] | deque[str], name: str, width: int) -> None:
    prefix = f"{name:<{width}} | " if width else ""
    for line in lines:
        click.echo(f"{prefix}{line.rstrip(chr(10))}")
