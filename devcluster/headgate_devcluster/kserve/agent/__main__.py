"""The agent as a process: `python -m headgate_devcluster.kserve.agent`, with the real agent's own arguments."""

import argparse
import asyncio
import logging

import aiohttp
from aiohttp import web

from headgate_devcluster.kserve.agent.events import Origin
from headgate_devcluster.kserve.agent.proxy import MODES, Proxy, application
from headgate_devcluster.kserve.agent.sink import Sink


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="agent", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of 127.0.0.1 to listen on")
    parser.add_argument("--component-port", type=int, required=True, help="where the model server listens")
    parser.add_argument("--log-url", required=True)
    parser.add_argument("--log-mode", choices=MODES, default="all")
    parser.add_argument("--inference-service", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--component", default="predictor")
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--metadata-headers", default="", help="separated by commas")
    return parser.parse_args(argv)


async def run(told: argparse.Namespace) -> None:
    """Serve until cancelled."""
    headers = tuple(filter(None, told.metadata_headers.split(",")))
    origin = Origin(told.inference_service, told.namespace, told.component, told.endpoint, headers)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        Sink(told.log_url) as sink,
        aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=False) as session,
    ):
        proxy = Proxy(f"http://127.0.0.1:{told.component_port}", told.log_mode, origin, sink, session)
        runner = web.AppRunner(application(proxy), access_log=None, handle_signals=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", told.port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(run(arguments()))
