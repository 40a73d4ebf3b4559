"""The kinds that every test needs, installed in a real API server from code that has no event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.installed import define


def install_definitions(access: Access) -> None:
    """Install the definitions of Headgate, KServe and the Gateway API, and wait until they are served."""

    async def install() -> None:
        async with ApiClient(access) as api:
            await define(api)

    with ThreadPoolExecutor(1) as thread:  # a thread of its own: asyncio.run would take the event loop of the tests away
        thread.submit(asyncio.run, install()).result()
