"""`headgate pause`: the candidate's weight stays where it is until somebody says otherwise."""

import click

from headgate_operator.cli.cluster import Target, read, run, target_options
from headgate_operator.cli.commands import candidate_of, revision_option, tell, wait_option


@click.command()
@click.argument("name")
@revision_option("Pause only if this is the candidate (default: the one there is).")
@wait_option
@target_options
def pause(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Freeze the candidate's weight where it is, until `headgate resume`.

    Serving and comparing continue: a candidate that turns out to be worse is still rolled back. Paused time counts towards no deadline.
    """
    deployment = run(target, lambda api: read(api, target, name))
    id_ = candidate_of(deployment, revision, to="pause")
    until = f"`headgate resume {name} -n {deployment.namespace}`"
    done = f"{id_} keeps its weight until {until}; if it turns out worse, it is rolled back all the same"
    tell(target, deployment, f"pause@{id_}", done=done, wait=wait)
