"""The kinds that every test needs, installed in a real API server from code that has no event loop."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.installed import define

FULL = "HEADGATE_KSERVE_CRDS"
PUBLISHED = Path(__file__).parents[2] / "build" / "definitions"
"""Where `make cluster-binaries` puts definitions of others: the Gateway API, Envoy Gateway, the Prometheus Operator."""
GATEWAY_API = "gateway.networking.k8s.io"


def install_definitions(access: Access, given: Sequence[dict[str, Any]] = ()) -> None:
    """Install the definitions of Headgate, and of KServe and the Gateway API as given or else minimal ones; wait until they are served."""

    async def install() -> None:
        async with ApiClient(access) as api:
            for definition in given:
                await api.apply(definition, field_manager="tests")
            await define(api)

    with ThreadPoolExecutor(1) as thread:  # a thread of its own: asyncio.run would take the event loop of the tests away
        thread.submit(asyncio.run, install()).result()


def full_definitions() -> tuple[Path | None, list[dict[str, Any]]]:
    """The folder with the full definitions of KServe and the Gateway API that the environment names, if any, and what is in it."""
    folder = Path(os.environ.get(FULL) or "nowhere")
    if not folder.is_dir():
        return None, []
    return folder, [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(folder.glob("*.yaml"))]


def published_definitions() -> list[dict[str, Any]]:
    """Definitions of others as their projects publish them; none before `make cluster-binaries`."""
    return [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(PUBLISHED.glob("*.yaml"))]


def definitions_beside_kserve() -> list[dict[str, Any]]:
    """Those that no test has a smaller one for: Envoy Gateway's and the Prometheus Operator's."""
    return [definition for definition in published_definitions() if definition["spec"]["group"] != GATEWAY_API]
