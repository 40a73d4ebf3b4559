"""`python -m headgate_devcluster.apiserver`: the API server double as a process."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiserver.server import HOST, ApiServer
from headgate_devcluster.apiserver.state import StateError


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Folder that keeps the objects over a restart.")
@click.option("--rbac", is_flag=True, help="Ask who makes a request; enforce the Roles and bindings stored in the server.")
@click.option("--kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="Write a kubeconfig for this server here.")
@click.option("--namespace", default="default", show_default=True, help="Namespace in the kubeconfig.")
def main(port: int, state: Path | None, rbac: bool, kubeconfig: Path | None, namespace: str) -> None:
    """Serve the Kubernetes API from memory, for development and tests. This is a double, not Kubernetes."""
    try:
        asyncio.run(_serve(port, state, rbac, kubeconfig, namespace))
    except OSError as error:
        click.echo(f"headgate: error: cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}", err=True)
        sys.exit(1)
    except StateError as error:
        click.echo(f"headgate: error: {error}", err=True)
        sys.exit(1)


async def _serve(port: int, state: Path | None, rbac: bool, kubeconfig: Path | None, namespace: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with ApiServer(port=port, state=state, rbac=rbac) as server:
        if kubeconfig:
            write_kubeconfig(kubeconfig, Access(server.url, server.administrator), namespace=namespace)
        click.echo(f"headgate: API server double (for development and tests, not Kubernetes) at {server.url}")
        await stop.wait()


if __name__ == "__main__":
    main()
