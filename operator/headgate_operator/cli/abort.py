"""`headgate abort`: the candidate is refused now, whatever the evidence says."""

import click

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.commands import revision_option, tell, wait_option
from headgate_operator.cli.errors import Failure


@click.command()
@click.argument("name")
@revision_option("Abort only if this is the revision on trial (default: the one on trial now).")
@wait_option
@target_options
def abort(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Refuse the candidate now: its weight goes to 0 and the stable version serves everything.

    During the watch after a promotion this refuses the promoted revision, and the previous version serves again.
    """
    deployment = run(target, lambda api: read(api, target, name))
    id_ = _on_trial(deployment, revision)
    heir = deployment.status.stable if deployment.status.candidate else deployment.status.previous
    done = (
        f"{id_} is refused; {f'{heir.id} ({heir.version}) takes all traffic' if heir else 'there is no version that could serve instead'}"
    )
    tell(target, deployment, f"abort@{id_}", done=done, wait=wait)


def _on_trial(deployment: Deployment, wanted: str | None) -> str:
    status = deployment.status
    if status.candidate is not None:
        found = status.candidate.id
    elif status.previous is not None and status.stable is not None:
        found = status.stable.id
    else:
        raise Failure(f"{deployment.name} has no revision on trial: there is nothing to abort")
    if wanted is not None and wanted != found:
        raise Failure(f"revision {wanted} of {deployment.name} is not on trial; {found} is")
    return found
