"""`headgate promote`: a person who knows more than the counters lets the candidate go on."""

import click

from headgate_operator.cli.cluster import Target, read, run, target_options
from headgate_operator.cli.commands import candidate_of, revision_option, tell, wait_option


@click.command()
@click.argument("name")
@click.option("--full", is_flag=True, help="Skip the steps that are left: straight to promotion and its watch.")
@revision_option("Promote only if this is the candidate (default: the one there is).")
@wait_option
@target_options
def promote(name: str, target: Target, full: bool, revision: str | None, wait: bool) -> None:
    """Stop waiting at the present step, pauses included, and let the candidate go on.

    It no longer waits for time, requests or evidence. Evidence that it is worse still rolls it back, its replicas must still be ready for
    the next weight, and the manifest's hooks must still agree.
    """
    deployment = run(target, lambda api: read(api, target, name))
    id_, verb = candidate_of(deployment, revision, to="promote"), "promote-full" if full else "promote"
    where = "to promotion" if full else "to its next step"
    done = f"{id_} goes on {where} as soon as its replicas are ready; follow it with `headgate watch {name} -n {deployment.namespace}`"
    tell(target, deployment, f"{verb}@{id_}", done=done, wait=wait)
