"""`headgate demo`. What the stories need takes a second to import: `headgate demo --help` does not wait for it."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from headgate_devcluster.demo.folder import DEFAULT, demo_folder, shortest
from headgate_devcluster.demo.manifest import NAME, NAMESPACE
from headgate_devcluster.dev.options import Refusal
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.lock import ClusterFacts

INTERRUPTED: Final = 130


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything goes; emptied first. Default: build/demo, or build/demo-2 and so on while that is in use.",
)
@click.option("--rate", type=click.FloatRange(10, 200), default=75, show_default=True, help="Requests a second.")
@click.option("--drift", is_flag=True, help="Instead of a rollout: a year of flights through the drift monitor, on a simulated clock.")
@click.option("--keep", is_flag=True, help="Leave the cluster up at the end and print how to look around in it.")
def demo(folder: Path | None, rate: float, drift: bool, keep: bool) -> None:
    """Roll out four versions of a real model on a cluster inside this machine.

    Trains on the flights that left New York in 2013, replays July through a real Envoy, and watches the operator promote a good version,
    roll back a broken one and refuse a tampered one. Takes about three minutes; Ctrl-C stops everything.

    With --drift no cluster is needed: a whole year goes through the drift monitor in about a minute. September and December differ from
    the months before, a candidate that misreads a column and one that only labels show to be worse are found, a good one is left alone.
    """
    if drift and keep:
        raise click.UsageError("--keep leaves the cluster up, but --drift starts none; give only one of them")
    try:
        with demo_folder(folder) as own:
            if folder is None and own != DEFAULT.absolute():
                click.echo(
                    f"headgate: {DEFAULT} is in use by another demo or its cluster; this one goes into {own.relative_to(Path.cwd())}"
                )
            if drift:
                _tell_of_drift(own)
                return
            from headgate_devcluster.demo.telling import tell  # it loads pandas and the operator's types

            summary, cluster = tell(own, Console(highlight=False), rate=rate, keep=keep)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("headgate: stopped; nothing was left running", err=True)
        sys.exit(INTERRUPTED)
    except ClusterError as error:
        raise Refusal(str(error)) from error
    if keep:
        _say_how_to_look_around(cluster)
    if not summary.as_expected:
        raise Refusal("the demo did not end as it should: see the table above")


def _tell_of_drift(folder: Path) -> None:
    from headgate_devcluster.demo.drift.story import tell  # it loads the monitor, XGBoost and alibi-detect

    if not tell(folder, Console(highlight=False)):
        raise Refusal(f"the year did not go as it should: see {shortest(folder / 'drift.html')}")


def _say_how_to_look_around(cluster: ClusterFacts) -> None:
    program = shortest(Path(sys.argv[0]))
    commands = [f"{program} {verb} {NAME} -n {NAMESPACE}" for verb in ("status", "history")]
    commands.append(
        f"kubectl -n {NAMESPACE} get mdep,isvc,httproutes" if shutil.which("kubectl") else f"{program} watch {NAME} -n {NAMESPACE}"
    )
    click.echo(f"\nThe cluster stays up, without traffic. To look around:\n\n  export KUBECONFIG={cluster.kubeconfig}")
    click.echo("\n".join(f"  {command}" for command in commands))
    click.echo("\ndocs/quickstart.md continues from here. To stop the cluster:\n")
    click.echo(f"  {program} dev down --folder {shortest(Path(cluster.kubeconfig).parent)}")
