"""`headgate retry`: a refused revision gets another chance, from the first step and with fresh statistics; failed hooks are asked again."""

import click

from headgate_operator.api.status import Candidate, HookResult, Rejected
from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.commands import revision_option, tell, wait_option
from headgate_operator.cli.errors import Failure


@click.command()
@click.argument("name")
@revision_option(
    "The refused revision, or the candidate (default: the candidate if a hook of it failed, else the refused one that the "
    "manifest asks for, else the one refused last)."
)
@wait_option
@target_options
def retry(name: str, target: Target, revision: str | None, wait: bool) -> None:
    """Give a refused revision another chance, or call the candidate's failed hooks again.

    A refused revision starts from the beginning; the manifest must name it.
    """
    deployment = run(target, lambda api: read(api, target, name))
    candidate = deployment.status.candidate
    if candidate is not None and revision in (None, candidate.id) and (failed := _failed_hooks(candidate)):
        done = f"{', '.join(failed)} of {candidate.id} is asked again; follow it with `headgate watch {name} -n {deployment.namespace}`"
        tell(target, deployment, f"retry@{candidate.id}", done=done, wait=wait)
        return
    entry = _refused(deployment, revision)
    tell(target, deployment, f"retry@{entry.id}", done=_what_follows(deployment, entry), wait=wait)


def _failed_hooks(candidate: Candidate) -> list[str]:
    return [hook.name for hook in candidate.hooks if hook.result is HookResult.FAILED]


def _refused(deployment: Deployment, wanted: str | None) -> Rejected:
    refused = deployment.status.rejected
    if not refused:
        raise Failure(f"{deployment.name} has no refused revision: there is nothing to retry")
    if wanted is None:
        return next((entry for entry in refused if _is_asked_for(deployment, entry)), refused[0])
    found = next((entry for entry in refused if entry.id == wanted), None)
    if found is None:
        ids = ", ".join(entry.id for entry in refused)
        raise Failure(f"revision {wanted} of {deployment.name} was not refused; refused are: {ids}")
    return found


def _is_asked_for(deployment: Deployment, entry: Rejected) -> bool:
    return bool(deployment.obj["spec"]["model"].get("uri") == entry.model_uri)


def _what_follows(deployment: Deployment, entry: Rejected) -> str:
    if _is_asked_for(deployment, entry):
        return f"{entry.id} ({entry.version}) starts over; follow it with `headgate watch {deployment.name} -n {deployment.namespace}`"
    return f"{entry.id} ({entry.version}) is no longer refused; it starts when the manifest asks for {entry.model_uri or 'it'} again"
