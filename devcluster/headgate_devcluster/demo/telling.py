"""The demo of four rollouts in a terminal, from the first line to the report."""

import asyncio
import json
import signal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from headgate_devcluster.demo.folder import shortest
from headgate_devcluster.demo.outcome import Summary
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.report import write_report
from headgate_devcluster.demo.story import Options, Story, StoryError
from headgate_devcluster.demo.training import TrainingError
from headgate_devcluster.demo.view import View
from headgate_devcluster.dev.options import Refusal
from headgate_devcluster.errors import writing_to
from headgate_devcluster.lock import ClusterFacts


def tell(folder: Path, console: Console, *, rate: float, keep: bool) -> tuple[Summary, ClusterFacts]:
    """Run the story, show it while it goes on, leave the report; return how it ended, and the cluster it was told in.

    Raises:
        Refusal: something that the story needs did not happen.
        ClusterError: the cluster did not come up.
    """
    recorder = Recorder()
    try:
        with View(console, recorder) as view:
            story = Story(Options(folder=folder, rate=rate, keep=keep), view, recorder)
            cluster = asyncio.run(_interruptible(story))
    except (StoryError, TrainingError) as error:
        raise Refusal(str(error)) from error
    _leave_report(folder, recorder, story.summary)
    _print_table(console, story.summary)
    console.print(f"report:  {shortest(folder / 'report.html')}\nsummary: {shortest(folder / 'summary.json')}", soft_wrap=True)
    return story.summary, cluster


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
