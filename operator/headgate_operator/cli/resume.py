"""`headgate resume`: the end of `headgate pause`."""

import click

from headgate_operator.cli.cluster import Target, read, run, target_options
from headgate_operator.cli.commands import candidate_of, revision_option, tell, wait_option


@click.command()
@click.argument("name")
@revision_option("Resume only if this is the candidate (default: the one there is).")
@wait_option
@target_options
def resume(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Resume a candidate that was paused with `headgate pause`.

    To pass a pause step of the manifest, use `headgate promote`; to end `paused: true`, remove it from the manifest.
    """
    deployment = run(target, lambda api: read(api, target, name))
    id_ = candidate_of(deployment, revision, to="resume")
    tell(target, deployment, f"resume@{id_}", done=f"{id_} goes on from where it was paused", wait=wait)
