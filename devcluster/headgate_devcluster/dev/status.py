"""`headgate dev status`: where a cluster is to be reached, and how each part of it is."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from headgate_devcluster.dev.calls import ask, not_running
from headgate_devcluster.dev.options import one_sentence, with_folder
from headgate_devcluster.lock import ClusterFacts, read_facts

_COLUMNS = ("PART", "PID", "ADDRESS", "HEALTH")


@click.command()
@with_folder
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format.")
def status(folder: Path, output: str) -> None:
    """Show where to reach a cluster, and the state of each of its parts. Exit code 1 if none runs in the folder."""
    with one_sentence():
        facts = read_facts(folder)
        if facts is None:
            raise not_running(folder)
        parts = ask(folder, "GET", "/parts")
    if output == "json":
        click.echo(json.dumps(asdict(facts) | {"parts": parts}, indent=2))
        return
    _tell_addresses(folder, facts)
    click.echo()
    rows = [[part["name"], str(part["pid"] or "-"), part["address"] or "-", part["health"]] for part in parts]
    for line in _aligned([_COLUMNS, *rows]):
        click.echo(line)


def tell(folder: Path) -> None:
    """Print where a folder's cluster is to be reached, and what to try first."""
    facts = read_facts(folder)
    if facts is None:
        return
    _tell_addresses(folder, facts)
    click.echo(f"\nTry:  export KUBECONFIG={facts.kubeconfig}\n      kubectl get all,mdep   # or, without kubectl: headgate dev status")


def _tell_addresses(folder: Path, facts: ClusterFacts) -> None:
    rows = {
        "kubeconfig": facts.kubeconfig,
        "API server": facts.api_url,
        "gateway": f"{facts.gateway_url} (choose the route with the Host header)",
        "Envoy admin": facts.envoy_admin_url,
        "cluster-local": f"{facts.cluster_local_proxy} (HTTP proxy for <service>.{facts.namespace}.svc.cluster.local)",
        "logs": str(folder / "logs"),
        "process": str(facts.pid),
    }
    for name, value in rows.items():
        click.echo(f"{name:<14} {value}")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
