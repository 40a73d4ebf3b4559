"""A process of the control plane: started, waited for, and always ended."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from headgate_devcluster.process import die_with

READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


class ControlPlaneError(Exception):
    """A part of the control plane ended or did not get ready; the message has its last words."""


@contextlib.contextmanager
def running(name: str, argv: Sequence[str], *, log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Run a process for as long as the block lasts, which begins once `ready` is true.

    Raises:
        ControlPlaneError: it ended, or was not ready in time.
    """
    with log.open("wb") as output:
        # a session of its own: Ctrl-C reaches pytest alone, which leaves this block
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, preexec_fn=die_with(os.getpid())
        )
    try:
        _wait(name, process, ready, log)
        yield
    finally:
        _end(process)


def _wait(name: str, process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if process.poll() is not None:
            raise ControlPlaneError(f"{name} ended with exit code {process.returncode}: {_last_words(log)} (log: {log})")
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"{name} was not ready within {READY_SECONDS:.0f} s: {_last_words(log)} (log: {log})")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)


def _last_words(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
