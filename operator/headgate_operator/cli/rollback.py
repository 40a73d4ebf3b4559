"""`headgate rollback`: away from the stable revision, back to the one before it."""

import click

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.commands import revision_option, tell, wait_option
from headgate_operator.cli.errors import Failure


@click.command()
@click.argument("name")
@revision_option("Roll back only if this is the stable revision, the one to leave (default: whichever is).")
@wait_option
@target_options
def rollback(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Return from the stable revision to the one before it, and refuse the one you leave.

    During the watch after a promotion the previous version is still running and takes over at once. Later it is started again exactly as
    it was, and takes over without a canary as soon as it is ready. To refuse a candidate on trial, use `headgate abort` instead.
    """
    deployment = run(target, lambda api: read(api, target, name))
    id_ = _to_leave(deployment, revision)
    previous = deployment.status.previous
    done = f"{id_} is left; " + (
        f"{previous.id} takes all traffic" if previous else "the revision before it takes over as soon as it is ready"
    )
    tell(target, deployment, f"rollback@{id_}", done=done, wait=wait)


def _to_leave(deployment: Deployment, wanted: str | None) -> str:
    status, name = deployment.status, deployment.name
    if status.stable is None:
        raise Failure(f"{name} has no stable revision yet: there is nothing to roll back")
    stable = status.stable.id
    if wanted is not None and status.candidate is not None and wanted == status.candidate.id:
        raise Failure(f"revision {wanted} of {name} is the candidate, not the stable one: `headgate abort {name}` refuses it")
    if wanted is not None and wanted != stable:
        raise Failure(f"revision {wanted} of {name} is not the stable one; {stable} is")
    refused = {entry.id for entry in status.rejected}
    if status.previous is None and all(entry.id == stable or entry.id in refused for entry in status.history):
        raise Failure(f"{name} has nothing to roll back to: no revision before {stable} is in its history that was not refused")
    return stable
