"""`headgate history`: which revisions were promoted, which were refused, when and why."""

from datetime import UTC, datetime
from typing import Any

import click

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.view import ago, console


@click.command()
@click.argument("name")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@target_options
def history(name: str, target: Target, output: Format) -> None:
    """List promoted and refused revisions, newest first.

    A promoted revision in this list returns without a canary when the manifest names it again; a refused one stays refused until
    `headgate retry`.
    """
    deployment = run(target, lambda api: read(api, target, name))
    entries = past(deployment)
    if output is not Format.TABLE:
        show(entries, output)
        return
    if not entries:
        click.echo(f"{name} has no history yet")
        return
    table = plain_table("revision", "version", "outcome", "reason", "when", "message")
    now = datetime.now(UTC)
    for entry in entries:
        when = f"{ago(datetime.fromisoformat(entry['at']), now)} ago"
        table.add_row(entry["revision"], entry["version"], entry["outcome"], entry["reason"], when, entry["message"])
    console().print(table)


def past(deployment: Deployment) -> list[dict[str, Any]]:
    """Return promoted and refused revisions as plain data, newest first."""
    status = deployment.status
    promoted = [
        {
            "revision": entry.id,
            "version": entry.version,
            "modelUri": entry.model_uri,
            "outcome": "Serving" if status.stable is not None and status.stable.id == entry.id else "Promoted",
            "reason": "",
            "message": "",
            "at": entry.promoted_at.isoformat(),
        }
        for entry in status.history
    ]
    refused = [
        {
            "revision": entry.id,
            "version": entry.version,
            "modelUri": entry.model_uri,
            "outcome": "Refused",
            "reason": entry.reason,
            "message": entry.message,
            "at": entry.at.isoformat(),
            "evidence": entry.evidence.model_dump(mode="json", by_alias=True) if entry.evidence is not None else None,
        }
        for entry in status.rejected
    ]
    return sorted([*promoted, *refused], key=lambda entry: str(entry["at"]), reverse=True)
