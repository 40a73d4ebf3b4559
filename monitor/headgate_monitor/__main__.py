"""`python -m headgate_monitor`: the drift monitor of one namespace."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import uvloop
from aiohttp import web

from headgate_monitor.collector.ring import Ring
from headgate_monitor.service.access import AccessError, Token, token
from headgate_monitor.service.app import Edge
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.intake import is_ours
from headgate_monitor.service.state import StateError, Store
from headgate_monitor.service.truths import LARGEST_PREDICTIONS
from headgate_monitor.service.worker import Delivery, Worker

_DRAIN: Final = 5.0  # seconds
_LINGER: Final = 1.0
"""Seconds that the rest of a refused body is thrown away, or its sender would see a broken connection instead of the answer."""
_log = logging.getLogger("headgate_monitor")


def _address(_ctx: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter(f"{text!r} is not <host>:<port>, such as 0.0.0.0:8080")
    return host.strip("[]"), int(port)


@click.command(context_settings={"auto_envvar_prefix": "HEADGATE_MONITOR", "show_default": True, "max_content_width": 110})
@click.option(
    "--address", default="127.0.0.1:8080", callback=_address, show_envvar=True, help="<host>:<port> to listen on; port 0 for a free one."
)
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), default=Path("state"), show_envvar=True,
              help="Folder for what must survive a restart: finished windows, the last questions, predictions and labels.")  # fmt: skip
@click.option("--queue-events", type=click.IntRange(100, 10_000_000), default=50_000, show_envvar=True,
              help="Maximum number of events in the queue; when more than half full, events of some request ids are dropped.")  # fmt: skip
@click.option("--queue-megabytes", type=click.IntRange(1, 100_000), default=128, show_envvar=True,
              help="Maximum total size of the events in the queue, in megabytes.")  # fmt: skip
@click.option("--predictions", type=click.IntRange(1000, 100_000_000), default=LARGEST_PREDICTIONS, show_envvar=True,
              help="Maximum number of predictions kept while waiting for labels; beyond that, a uniform sample is kept.")  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), show_envvar=True,
              help="File with the bearer token that every request except probes must then carry; a changed file is reread. Or put the "
              "token itself into HEADGATE_MONITOR_TOKEN.")  # fmt: skip
@click.option("--open-events", is_flag=True, show_envvar=True,
              help="Accept events without the token, because KServe's logger cannot send one.")  # fmt: skip
@click.option("--client-timeout", type=click.FloatRange(0.1, 3600), default=30.0, show_envvar=True,
              help="Seconds that a connection may be idle, and that a request's headers and its body may each take to arrive.")  # fmt: skip
def main(
    address: tuple[str, int], state: Path, queue_events: int, queue_megabytes: int, predictions: int,
    token_file: Path | None, open_events: bool, client_timeout: float,
) -> None:  # fmt: skip
    """Watch the payloads of ModelDeployments for drift, and judge predictions by labels that arrive later.

    KServe's payload logger sends CloudEvents to POST /v1/events/<ModelDeployment>/<revision>. The operator requests verdicts
    with POST /v1/drift/<ModelDeployment> and says in the request what to compare, so nothing else is configured here.
    Send labels to POST /v1/ground-truth/<ModelDeployment>; GET returns what they show.
    Also: /openapi.json, /metrics, /healthz, /readyz.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    try:
        secret = token(token_file, os.environ.get("HEADGATE_MONITOR_TOKEN"))
        with Store(state) as store:
            ring = Ring[Delivery](limit=queue_events, limit_bytes=queue_megabytes * 1_000_000)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # events cost a fifth less than on asyncio's own loop
                engine = Engine(store, _steady_time(), predictions=predictions)
                runner.run(_serve(address, engine, ring, token=secret, open_events=open_events, seconds=client_timeout))
    except (StateError, AccessError) as error:
        sys.exit(f"headgate: error: {error}")
    except OSError as error:
        sys.exit(f"headgate: error: cannot listen on {address[0]}:{address[1]}: {error.strerror or error}")


def _steady_time() -> Callable[[], float]:
    """Return a clock of seconds since the epoch that nobody can set: a jump by hours would end windows early, or none for hours."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


async def _serve(
    address: tuple[str, int], engine: Engine, ring: Ring[Delivery], *, token: Token | None, open_events: bool, seconds: float
) -> None:
    worker = Worker(engine, ring)
    edge = Edge(engine, ring, worker, token=token, open_events=open_events, seconds=seconds)
    runner = web.AppRunner(  # aiohttp's keep-alive is also how long the head of a request may take
        edge.application(), access_log=None, shutdown_timeout=_DRAIN, keepalive_timeout=seconds, lingering_time=_LINGER
    )
    try:
        await runner.setup()
        await web.TCPSite(runner, *address).start()
        _log.info("listening on %s:%s", *runner.addresses[0][:2])
        await _told_to_stop()
    finally:
        await runner.cleanup()
        await asyncio.to_thread(worker.stop, _DRAIN)


async def _told_to_stop() -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


if __name__ == "__main__":
    main()
