"""The live view in the terminal; on anything else, one line for each thing that happens."""

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from headgate_devcluster.demo.recorder import Recorder, Told
from headgate_operator.api.status import MetricStatus

LINES: Final = 8
ROW_PADDING: Final = (0, 1, 0, 0)
"""Between columns: everything fits in a terminal of 80."""
HEARTBEAT_SECONDS: Final = 15


class View:
    """Shows a recorder. `say` tells what happens outside the cluster, `tell` what the operator says."""

    def __init__(self, console: Console, recorder: Recorder) -> None:
        self._console, self._recorder = console, recorder
        self._lines: list[tuple[Text, Text]] = []
        """When, and what."""
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._last_line = 0.0

    def __enter__(self) -> "View":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._console.print(_laid_out(self._lines))

    def say(self, words: str) -> None:
        """Tell what the demo does."""
        self._line(Text(words))

    def tell(self, told: Told) -> None:
        """Tell what the operator did."""
        style = "bold red" if told.warning else "green"
        self._line(Text.assemble((told.reason, style), " ", told.message))

    def show(self, manifest: str) -> None:
        """Show a manifest whole; it scrolls away above the live view."""
        self._console.print(Syntax(manifest, "yaml", background_color="default"))

    def refresh(self) -> None:
        """Draw anew, or say once in a while that all goes on."""
        if self._live:
            self._live.update(self._screen(), refresh=True)
        elif self._recorder.elapsed - self._last_line > HEARTBEAT_SECONDS:
            self._line(Text(self._heartbeat(), style="dim"))

    def _line(self, text: Text) -> None:
        when = Text.assemble((f"{self._recorder.elapsed:6.1f} s  ", "dim"))
        self._lines.append((when, text))
        self._last_line = self._recorder.elapsed
        if not self._live:
            self._console.print(when + text, soft_wrap=True)

    def _heartbeat(self) -> str:
        tally, traffic = self._recorder.tally, self._recorder.status.traffic
        weights = ", ".join(f"{self._recorder.label(part.id)} {part.weight} %" for part in traffic) or "no traffic yet"
        return f"… {weights}; {tally.requests.total()} requests, {tally.bad.total()} failed"

    def _screen(self) -> Panel:
        status = self._recorder.status
        parts: list[RenderableType] = [self._versions()]
        if status.analysis and status.analysis.metrics:
            parts.append(_evidence(status.analysis.metrics))
        parts.append(_laid_out(self._lines[-LINES:]))
        title = f"Headgate demo · {status.phase.value} · {self._recorder.elapsed:.0f} s"
        return Panel(Group(*parts), title=title, border_style="cyan")

    def _versions(self) -> Table:
        numbers = ("requests", "failed", "p50", "p99")
        table = _table(("version", "revision", "role", "weight", "", *numbers), {"weight", *numbers})
        weights = {part.id: part.weight for part in self._recorder.status.traffic}
        for revision in self._recorder.versions:
            weight, tally = weights.get(revision, 0), self._recorder.tally
            table.add_row(
                self._recorder.versions[revision],
                revision,
                self._role(revision),
                f"{weight} %",
                _progress(weight, "cyan"),
                f"{tally.requests[revision]}",
                f"{tally.bad[revision]}",
                _milliseconds(tally.latency(revision, 0.5)),
                _milliseconds(tally.latency(revision, 0.99)),
            )
        if not self._recorder.versions:
            table.add_row("–", "none yet")
        return table

    def _role(self, revision: str) -> str:
        status = self._recorder.status
        roles = {"stable": status.stable, "candidate": status.candidate, "previous": status.previous}
        for role, pinned in roles.items():
            if pinned and pinned.id == revision:
                return role
        return "rejected" if any(rejected.id == revision for rejected in status.rejected) else "retired"


def _laid_out(lines: list[tuple[Text, Text]]) -> Table:
    """Lay lines out so that long ones wrap beside their time, not below it."""
    table = Table.grid()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(*line)
    return table


def _evidence(metrics: list[MetricStatus]) -> Table:
    headings = ("metric", "verdict", "evidence\nto roll back", "", "evidence\nto promote", "", "candidate\nbad/all", "stable\nbad/all")
    table = _table(headings, {headings[6], headings[7]})
    for metric in metrics:
        table.add_row(
            metric.name,
            metric.verdict.value,
            *_bar(metric.evidence, metric.bound, "red"),
            *_bar(metric.promotion_evidence, metric.promotion_bound, "green"),
            f"{metric.bad.candidate}/{metric.total.candidate}",
            f"{metric.bad.stable}/{metric.total.stable}",
        )
    return table


def _table(headings: tuple[str, ...], numbers: set[str]) -> Table:
    """Make a table whose unnamed columns are bars: they take the room that is left, so that no word is cut."""
    table = Table(expand=True, box=None, padding=ROW_PADDING)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", no_wrap=True, ratio=None if heading else 1)
    return table


def _bar(evidence: float, bound: float, colour: str) -> tuple[str, ProgressBar]:
    """Write evidence as the operator's messages do, as a natural log beside its bound, and draw how far it has come."""
    share = max(0.0, min(1.0, evidence / bound)) if bound > 0 else 0.0
    return f"{evidence:.1f} of {bound:.1f}", _progress(round(share * 100), colour)


def _progress(percent: int, colour: str) -> ProgressBar:
    return ProgressBar(total=100, completed=percent, complete_style=colour, finished_style=colour)


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"
