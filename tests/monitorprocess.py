"""A drift monitor as a process of its own, with one reference that a question may name."""

import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from headgate_devcluster.process import die_with
from headgate_monitor.detectors import fit_reference

REQUEST, RESPONSE = (f"org.kubeflow.serving.inference.{kind}" for kind in ("request", "response"))


class Process:
    """One monitor; `start` again after its end goes on with the same state."""

    def __init__(self, folder: Path, *flags: str, **environment: str) -> None:
        self.folder = folder
        self.url = ""
        self._flags, self._environment = flags, environment

    def fit(self) -> None:
        """Write a reference with one feature, `a`."""
        columns = {"a": np.random.default_rng(0).normal(size=2000).tolist()}
        fit_reference(columns, range(2000), {"a": "number"}, window_rows=100).write(self.folder / "reference")

    async def start(self) -> None:
        argv = ["-m", "headgate_monitor", "--address", "127.0.0.1:0", "--state", str(self.folder / "state"), *self._flags]
        environment = dict(os.environ) | self._environment
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, *argv, stderr=asyncio.subprocess.PIPE, env=environment, preexec_fn=die_with(os.getpid())
        )
        assert self.child.stderr is not None
        async with asyncio.timeout(60):
            while not (found := re.search(rb"listening on (\S+)", line := await self.child.stderr.readline())):
                assert line, "the monitor ended"
        self.url = f"http://{found[1].decode()}"

    async def end(self, number: int) -> int:
        """Send a signal, and wait for the end."""
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(number)
        async with asyncio.timeout(60):
            _, self.said = await self.child.communicate()
        return self.child.returncode or 0

    def question(self) -> dict[str, Any]:
        window = {"rows": 100, "duration": "1h", "minimumRows": 100}
        return {"stable": {"id": "r1", "reference": f"file://{self.folder}/reference"}, "drift": {"window": window}}
