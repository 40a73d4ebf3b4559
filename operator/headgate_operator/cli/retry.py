"""`headgate retry`: a refused revision gets another chance, from the first step and with fresh statistics."""

import click

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.commands import revision_option, tell, wait_option
from headgate_operator.cli.errors import Failure


@click.command()
@click.argument("name")
@revision_option("The refused revision (default: the one refused last).")
@wait_option
@target_options
def retry(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Give a refused revision another chance. It starts over; the manifest must ask for it."""
    deployment = run(target, lambda api: read(api, target, name))
    tell(target, deployment, f"retry@{_refused(deployment, revision)}", wait=wait)


def _refused(deployment: Deployment, wanted: str | None) -> str:
    ids = [entry.id for entry in deployment.status.rejected]
    if not ids:
        raise Failure(f"{deployment.name} has no refused revision: there is nothing to retry")
    if wanted is not None and wanted not in ids:
        raise Failure(f"revision {wanted} of {deployment.name} was not refused; refused are: {', '.join(ids)}")
    return wanted or ids[0]
