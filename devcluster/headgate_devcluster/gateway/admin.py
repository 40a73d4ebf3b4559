"""Reading Envoy's admin page."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from headgate_devcluster.gateway.bootstrap import CLUSTER_LOCAL, PUBLIC

_TIMEOUT = aiohttp.ClientTimeout(total=5)

CLUSTERS_VERSION = "cluster_manager.cds.version_text"


def routes_version(table: str) -> str:
    """The name of the reading that tells which version of a route table is in use."""
    return f"http.{table}.rds.{table}.version_text"


@dataclass(frozen=True)
class Admin:
    """The admin page of one Envoy."""

    url: str
    session: aiohttp.ClientSession

    async def stats(self, pattern: str) -> dict[str, Any]:
        """Statistics whose name matches the regular expression, by name."""
        body = json.loads(await self.text("/stats", format="json", filter=pattern))
        return {entry["name"]: entry["value"] for entry in body["stats"] if "name" in entry}

    async def ready(self) -> bool:
        """Whether Envoy has read all its files and listens."""
        try:
            return (await self.text("/ready")).strip() == "LIVE"
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def ports(self) -> dict[str, int]:
        """The port each listener was given, by listener."""
        body = json.loads(await self.text("/listeners", format="json"))
        return {entry["name"]: entry["local_address"]["socket_address"]["port_value"] for entry in body.get("listener_statuses", [])}

    async def wait_for(self, versions: dict[str, str], deadline: float) -> None:
        """Wait until the given readings have the given values and every cluster is ready for use.

        Raises:
            TimeoutError: Envoy did not take them within `deadline` seconds.
        """
        names = "|".join(
            ["cluster_manager.warming_clusters", *map(_exactly, [CLUSTERS_VERSION, *map(routes_version, (PUBLIC, CLUSTER_LOCAL))])]
        )
        async with asyncio.timeout(deadline):
            while True:
                with contextlib.suppress(TimeoutError):  # of one page: on a busy machine the next one may come in time
                    if _has(await self.stats(names), versions):
                        return
                await asyncio.sleep(0.01)

    async def text(self, path: str, **query: str) -> str:
        """The body of one page.

        Raises:
            aiohttp.ClientError: Envoy does not answer, or not with 200.
        """
        async with self.session.get(self.url + path, params=query, timeout=_TIMEOUT, raise_for_status=True) as answer:
            return await answer.text()


def _has(readings: Mapping[str, Any], versions: Mapping[str, str]) -> bool:
    return all(readings.get(name) == version for name, version in versions.items()) and not readings.get("cluster_manager.warming_clusters")


def _exactly(name: str) -> str:
    return "^" + name.replace(".", r"\.") + "$"
