"""One look at a ModelDeployment for people: what is served, what is on trial, how the evidence stands, what was refused and why."""

import sys
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.status import Condition, ConditionStatus, HookStatus, MetricStatus, Phase, Rejected
from headgate_operator.cli.cluster import Deployment
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.upstream_view import upstream
from headgate_operator.pages.roles import roles

PHASE_COLOURS: Final = dict.fromkeys(Phase, "cyan") | {
    Phase.HEALTHY: "green",
    Phase.ROLLED_BACK: "red",
    Phase.STALLED: "red",
    Phase.HOLDING: "yellow",
    Phase.SUSPENDED: "yellow",
}
_SHOWN_REFUSALS = 3


def console() -> Console:
    """Return a console on standard output: as wide as the terminal, or wide enough for a log."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False, soft_wrap=False)


def view(deployment: Deployment, now: datetime) -> RenderableType:
    """Return everything about one object, ready to print."""
    status = deployment.status
    parts: list[RenderableType] = [_headline(deployment), _versions(deployment, now)]
    if status.analysis is not None and status.analysis.metrics:
        parts.append(_evidence(status.analysis.metrics))
    hooks = [*(status.candidate.hooks if status.candidate is not None else []), *status.notified]
    if hooks:
        parts.append(_hooks(hooks, now))
    parts += upstream(status, lambda then: ago(then, now))
    parts.append(_conditions(status.conditions))
    if status.rejected:
        parts.append(_refused(status.rejected[:_SHOWN_REFUSALS], now))
    return Group(*parts)


def ago(then: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in its largest unit or two: `3m12s`."""
    if then is None:
        return "–"
    seconds = max(0, int((now - then).total_seconds()))
    if seconds >= 3600:
        seconds -= seconds % 60
    return format_duration(timedelta(seconds=seconds)) or "0s"


def _headline(deployment: Deployment) -> Text:
    status = deployment.status
    line = Text.assemble((f"{deployment.namespace}/{deployment.name}", "bold"), "  ", (status.phase, PHASE_COLOURS[status.phase]))
    if status.observed_generation != deployment.generation:
        line.append("  (the operator has not seen the latest manifest yet)", "yellow")
    if status.url:
        line.append(f"\n{status.url}", "dim")
    owner = deployment.obj["spec"].get("owner") or {}
    if words := [str(owner[key]) for key in ("team", "contact", "runbook") if owner.get(key)]:
        line.append(f"\nowner: {', '.join(words)}", "dim")
    return line


def _versions(deployment: Deployment, now: datetime) -> Table:
    table = plain_table("", "revision", "version", "weight", "requests", "since", "")
    for role in roles(deployment.status, deployment.steps):
        pinned, requests = role.pinned, str(role.traffic.requests) if role.seen else "–"
        table.add_row(role.name, pinned.id, pinned.version, role.share, requests, ago(role.since, now), role.remark)
    return table


def _evidence(metrics: list[MetricStatus]) -> Table:
    table = plain_table("metric", "verdict", "evidence", "bad/all candidate", "bad/all stable", "still needed")
    for metric in metrics:
        table.add_row(
            metric.name,
            metric.verdict,
            f"{metric.evidence:.2f} of {metric.bound:.2f}",
            f"{metric.bad.candidate}/{metric.total.candidate}",
            f"{metric.bad.stable}/{metric.total.stable}",
            f"{metric.requests_needed} requests" if metric.requests_needed else "",
        )
    return table


def _hooks(hooks: list[HookStatus], now: datetime) -> Table:
    table = plain_table("hook", "type", "result", "attempts", "when", "message")
    for hook in hooks:
        if hook.attempts:
            table.add_row(hook.name, hook.type, hook.result, str(hook.attempts), f"{ago(hook.at, now)} ago", hook.message)
    return table


def _conditions(conditions: list[Condition]) -> Table:
    table = plain_table("condition", "", "reason", "message")
    for condition in conditions:
        good = condition.status is ConditionStatus.TRUE and condition.type != "Stalled"
        table.add_row(condition.type, Text(condition.status, "green" if good else "yellow"), condition.reason, condition.message)
    return table


def _refused(rejected: list[Rejected], now: datetime) -> Table:
    table = plain_table("refused", "version", "reason", "when", "message")
    for entry in rejected:
        table.add_row(entry.id, entry.version, Text(entry.reason, "red"), f"{ago(entry.at, now)} ago", entry.message)
    return table
