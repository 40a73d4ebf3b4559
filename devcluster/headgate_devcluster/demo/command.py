"""`headgate demo`: run the story, show it, leave a report."""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from headgate_devcluster.demo.folder import DEFAULT, demo_folder
from headgate_devcluster.demo.manifest import NAME, NAMESPACE
from headgate_devcluster.demo.outcome import Summary
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.report import write_report
from headgate_devcluster.demo.story import Options, Story, StoryError
from headgate_devcluster.demo.training import TrainingError
from headgate_devcluster.demo.view import View
from headgate_devcluster.dev.options import Refusal
from headgate_devcluster.errors import ClusterError, writing_to
from headgate_devcluster.lock import ClusterFacts

INTERRUPTED: Final = 130


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything goes; emptied first. Default: build/demo, or build/demo-2 and so on while that is in use.",
)
@click.option("--rate", type=click.FloatRange(10, 200), default=75, show_default=True, help="Requests a second.")
@click.option("--drift", is_flag=True, help="Another story: a year of flights through the drift monitor, on a simulated clock.")
@click.option("--keep", is_flag=True, help="Leave the cluster up at the end and say how to look around in it.")
def demo(folder: Path | None, rate: float, drift: bool, keep: bool) -> None:
    """Roll out four versions of a real model on a cluster inside this machine.

    Trains on the flights that left New York in 2013, replays July through a real Envoy, and watches the operator promote a good version,
    roll back a broken one and refuse a tampered one. Takes about three minutes; Ctrl-C stops everything.

    With --drift no cluster is needed: a whole year goes through the drift monitor in about a minute. September and December differ from
    the months before, a candidate that misreads a column and one that only labels show to be worse are found, a good one is left alone.
    """
    if drift and keep:
        raise click.UsageError("--keep leaves the cluster up, and --drift starts none")
    try:
        with demo_folder(folder) as own:
            if folder is None and own != DEFAULT.absolute():
                click.echo(
                    f"headgate: {DEFAULT} is in use by another demo or its cluster; this one goes into {own.relative_to(Path.cwd())}"
                )
            if drift:
                _tell_of_drift(own)
                return
            story, cluster = _run(Options(folder=own, rate=rate, keep=keep), Console(highlight=False))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("headgate: stopped; nothing was left running", err=True)
        sys.exit(INTERRUPTED)
    except (ClusterError, StoryError, TrainingError) as error:
        raise Refusal(str(error)) from error
    if keep:
        _say_how_to_look_around(cluster)
    if not story.summary.as_expected:
        raise Refusal("the demo did not end as it should: see the table above")


def _tell_of_drift(folder: Path) -> None:
    from headgate_devcluster.demo.drift.story import tell  # it loads the monitor, XGBoost and alibi-detect

    if not tell(folder, Console(highlight=False)):
        raise Refusal(f"the year did not go as it should: see {_shortest(folder / 'drift.html')}")


def _run(options: Options, console: Console) -> tuple[Story, ClusterFacts]:
    recorder = Recorder()
    with View(console, recorder) as view:
        story = Story(options, view, recorder)
        cluster = asyncio.run(_interruptible(story))
    _leave_report(options.folder, recorder, story.summary)
    _print_table(console, story.summary)
    console.print(
        f"report:  {_shortest(options.folder / 'report.html')}\nsummary: {_shortest(options.folder / 'summary.json')}", soft_wrap=True
    )
    return story, cluster


async def _interruptible(story: Story) -> ClusterFacts:
    """Treat SIGTERM as Ctrl-C, so that either leaves no process behind."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await story.tell()


def _leave_report(folder: Path, recorder: Recorder, summary: Summary) -> None:
    with writing_to(folder):
        (folder / "summary.json").write_text(json.dumps(summary.to_json(), indent=2) + "\n")
        write_report(folder / "report.html", recorder, summary)


def _print_table(console: Console, summary: Summary) -> None:
    table = Table(title="How the rollouts ended", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("version", "revision", "outcome", "reason", "requests", "failed", "seconds"):
        table.add_column(heading, justify="right" if heading in {"requests", "failed", "seconds"} else "left", no_wrap=True)
    for rollout in summary.rollouts:
        numbers = (f"{rollout.candidate_requests:,}", f"{rollout.candidate_bad:,}", f"{rollout.seconds:.0f}")
        table.add_row(str(rollout.version), rollout.revision, rollout.outcome.value, rollout.reason, *numbers)
    console.print("", table, "", sep="\n")
    console.print(f"{summary.requests:,} requests; errors from any other cause than version 3: {summary.errors_from_other_causes}\n")


def _say_how_to_look_around(cluster: ClusterFacts) -> None:
    program = _shortest(Path(sys.argv[0]))
    commands = [f"{program} {verb} {NAME} -n {NAMESPACE}" for verb in ("status", "history")]
    commands.append(
        f"kubectl -n {NAMESPACE} get mdep,isvc,httproutes" if shutil.which("kubectl") else f"{program} watch {NAME} -n {NAMESPACE}"
    )
    click.echo(f"\nThe cluster stays up, without traffic. To look around:\n\n  export KUBECONFIG={cluster.kubeconfig}")
    click.echo("\n".join(f"  {command}" for command in commands))
    click.echo("\ndocs/quickstart.md goes on from here. To stop the cluster:\n")
    click.echo(f"  {program} dev down --folder {_shortest(Path(cluster.kubeconfig).parent)}")


def _shortest(path: Path) -> Path:
    """Say where something is from here, if it is below."""
    absolute, here = path.absolute(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
