"""Child processes that never outlive the cluster.

Each child leads its own session, so that Ctrl-C in the terminal reaches only the supervisor, which then stops its children in order.
The kernel kills a child whose supervisor dies without having had the chance to (SIGKILL, a crash).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from headgate_devcluster.errors import ClusterError, writing_to

_PR_SET_PDEATHSIG = 1
_KILL_DEADLINE = 5.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)
# Loaded before any fork: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Child:
    """One running child process and where its output goes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet, as far as the event loop has heard."""
        return self.process.returncode is None

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        return await self.process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the process alone; one that has ended is left alone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def stop(self, grace: float) -> int:
        """Ask it to end, wait `grace` seconds, then kill it and everything it started. Returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            pass
        finally:
            self._kill_group()
        async with asyncio.timeout(_KILL_DEADLINE):
            return await self.wait()

    def _kill_group(self) -> None:
        # Signalling a group whose leader was reaped is safe only while members keep the id in use; if none is left there is nothing to do.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_words(self, lines: int = 3) -> str:
        """The last lines of its output, for an error message."""
        with contextlib.suppress(OSError):
            return " | ".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])
        return ""


def die_with(supervisor: int) -> Callable[[], None]:
    """For `preexec_fn`: the child is killed when the process that starts it, whose id this is, dies in whatever way."""

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died between fork and prctl
            os._exit(1)

    return tie


async def start(name: str, argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start a child with its output appended to `log`.

    Raises:
        ClusterError: the program does not exist or may not be run, or the log cannot be written.
    """
    with writing_to(log.parent):
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )
    except (FileNotFoundError, PermissionError) as error:
        msg = f"{name} cannot be started: {argv[0]}: {error.strerror}; run `make setup` to install what the project needs"
        raise ClusterError(msg) from error
    finally:
        output.close()
    return Child(name, process, log)


async def until_ready(child: Child, url: str) -> None:
    """Wait until an HTTP GET of `url` succeeds; the caller sets the deadline.

    Raises:
        ClusterError: the child ended before that.
    """
    async with aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session:
        while True:
            if not child.running:
                msg = f"the {child.name} ended while starting: {child.last_words()} (log: {child.log})"
                raise ClusterError(msg)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)
