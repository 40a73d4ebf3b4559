"""Where versions come from, for people: what the followed alias was seen to point to, and the last training run."""

from collections.abc import Callable, Iterator
from datetime import datetime

from rich.table import Table
from rich.text import Text

from headgate_operator.api.status import ModelDeploymentStatus, RegistryMark, RegistryStatus, RetrainingStatus, RunState
from headgate_operator.cli.tables import plain_table

Ago = Callable[[datetime], str]


def upstream(status: ModelDeploymentStatus, ago: Ago) -> Iterator[Table]:
    """Yield a table for each of the two that there is something to say about."""
    if status.registry is not None:
        yield _registry(status.registry)
    if status.retraining is not None:
        yield _retraining(status.retraining, ago)


def _registry(registry: RegistryStatus) -> Table:
    table = plain_table("registry", "model", "alias", "version", "")
    failed = [mark for mark in registry.marks if mark.failures]
    table.add_row(
        registry.tracking_uri, registry.name, registry.alias, registry.version, Text("; ".join(map(_unwritten, failed)), "yellow")
    )
    return table


def _unwritten(mark: RegistryMark) -> str:
    what = f"alias {mark.alias} on" if mark.alias is not None else "tags of"
    return f"{what} version {mark.version} not written yet ({mark.failures} attempts): {mark.message}"


def _retraining(run: RetrainingStatus, ago: Ago) -> Table:
    table = plain_table("training run", "state", "decided", "why", "")
    colour = "" if run.state.under_way else "green" if run.state is RunState.SUCCEEDED else "red"
    table.add_row(run.last_run_id or run.last_trigger, Text(run.state, colour), f"{ago(run.at)} ago", run.cause, run.message)
    return table
