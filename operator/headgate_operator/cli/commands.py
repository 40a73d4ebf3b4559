"""What a person tells the operator: one annotation that names a revision, and the wait until it is acknowledged."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from headgate_operator.cli.cluster import Deployment, Target, command, read, run
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_ACKNOWLEDGED_WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.3

F = TypeVar("F", bound=Callable[..., Any])


def revision_option(meaning: str) -> Callable[[F], F]:
    """Add --revision: insist on a revision instead of taking whichever is there."""
    return click.option("--revision", metavar="ID", help=meaning)


def wait_option(command: F) -> F:
    """Add --wait/--no-wait."""
    return click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the operator acknowledges.")(command)


def candidate_of(deployment: Deployment, wanted: str | None, *, to: str) -> str:
    """Return the candidate's id; Failure if there is none, or another one than was insisted on."""
    status = deployment.status
    if status.candidate is None:
        serves = f"; {status.stable.id} is stable" if status.stable is not None else ""
        raise Failure(f"{deployment.name} has no candidate: there is nothing to {to}{serves}")
    if wanted is not None and wanted != status.candidate.id:
        raise Failure(f"revision {wanted} of {deployment.name} is not the candidate; {status.candidate.id} is")
    return status.candidate.id


def tell(target: Target, deployment: Deployment, text: str, *, done: str, wait: bool) -> None:
    """Write the command and, with `wait`, say that it is `done`; Failure if the operator did not apply it or does not answer."""
    result = run(target, lambda api: _tell(api, target, deployment, text, wait=wait))
    if not wait:
        click.echo(f"asked for {text}")
    elif result is None:
        raise Failure(
            f"{text} was written, but the operator has not acknowledged it within {_ACKNOWLEDGED_WITHIN_SECONDS:.0f} s; is it running?",
            Exit.TIMED_OUT,
        )
    elif not result.startswith("Applied"):
        raise Failure(f"{text}: {result}")
    else:
        click.echo(done)


async def _tell(api: KubeApi, target: Target, deployment: Deployment, text: str, *, wait: bool) -> str | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ACKNOWLEDGED_WITHIN_SECONDS
    while _is_being_removed(deployment, text) and loop.time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        deployment = await read(api, target, deployment.name)
    await command(api, deployment, text)
    while wait and loop.time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        try:
            now = await read(api, target, deployment.name)
        except UnavailableError:
            continue
        last = now.status.last_command
        if now.command != text and last is not None and last.command == text:
            return last.result
    return None


def _is_being_removed(deployment: Deployment, text: str) -> bool:
    """Whether the operator would take the same words for the command that it has just carried out and is removing."""
    last = deployment.status.last_command
    return last is not None and last.command == text and last.removing
