"""The live view in the terminal; on anything else, one line for each thing that happens."""

import math
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
HEARTBEAT_SECONDS: Final = 15


class View:
    """Shows a recorder. `say` tells what happens outside the cluster, `tell` what the operator says."""

    def __init__(self, console: Console, recorder: Recorder) -> None:
        self._console, self._recorder = console, recorder
        self._lines: list[Text] = []
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._last_line = 0.0

    def __enter__(self) -> "View":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            for line in self._lines:
                self._console.print(line)

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
        line = Text.assemble((f"{self._recorder.elapsed:6.1f} s  ", "dim"), text)
        self._lines.append(line)
        self._last_line = self._recorder.elapsed
        if not self._live:
            self._console.print(line, soft_wrap=True)

    def _heartbeat(self) -> str:
        tally, traffic = self._recorder.tally, self._recorder.status.traffic
        weights = ", ".join(f"{self._recorder.label(part.id)} {part.weight} %" for part in traffic) or "no traffic yet"
        return f"… {weights}; {tally.requests.total()} requests, {tally.bad.total()} failed"

    def _screen(self) -> Panel:
        status = self._recorder.status
        parts: list[RenderableType] = [self._versions()]
        if status.analysis and status.analysis.metrics:
            parts.append(_evidence(status.analysis.metrics))
        parts.extend(self._lines[-LINES:])
        title = f"Headgate demo · {status.phase.value} · {self._recorder.elapsed:.0f} s"
        return Panel(Group(*parts), title=title, border_style="cyan")

    def _versions(self) -> Table:
        table = Table(expand=True, box=None)
        for heading in ("version", "revision", "role", "weight", "", "requests", "failed", "p50", "p99"):
            table.add_column(heading, justify="right" if heading in {"requests", "failed", "p50", "p99"} else "left")
        weights = {part.id: part.weight for part in self._recorder.status.traffic}
        for revision in self._recorder.versions:
            weight, tally = weights.get(revision, 0), self._recorder.tally
            table.add_row(
                self._recorder.versions[revision],
                revision,
                self._role(revision),
                f"{weight} %",
                ProgressBar(total=100, completed=weight, width=20),
                f"{tally.requests[revision]}",
                f"{tally.bad[revision]}",
                _milliseconds(tally.latency(revision, 0.5)),
                _milliseconds(tally.latency(revision, 0.99)),
            )
        return table

    def _role(self, revision: str) -> str:
        status = self._recorder.status
        roles = {"stable": status.stable, "candidate": status.candidate, "previous": status.previous}
        for role, pinned in roles.items():
            if pinned and pinned.id == revision:
                return role
        return "rejected" if any(rejected.id == revision for rejected in status.rejected) else "retired"


def _evidence(metrics: list[MetricStatus]) -> Table:
    table = Table(expand=True, box=None)
    for heading in ("metric", "verdict", "rollback evidence", "", "promotion evidence", "", "bad candidate/stable"):
        table.add_column(heading)
    for metric in metrics:
        table.add_row(
            metric.name,
            metric.verdict.value,
            *_bar(metric.evidence, metric.bound, "red"),
            *_bar(metric.promotion_evidence, metric.promotion_bound, "green"),
            f"{metric.bad.candidate}/{metric.total.candidate} · {metric.bad.stable}/{metric.total.stable}",
        )
    return table


def _bar(evidence: float, bound: float, colour: str) -> tuple[ProgressBar, str]:
    """Draw a natural log of an e-value towards its bound, and write both as odds."""
    share = max(0.0, min(1.0, evidence / bound)) if bound > 0 else 0.0
    odds = f"{math.exp(min(evidence, 20)):.1f} of {math.exp(min(bound, 20)):.0f}"
    return ProgressBar(total=100, completed=round(share * 100), width=20, complete_style=colour), odds


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"
