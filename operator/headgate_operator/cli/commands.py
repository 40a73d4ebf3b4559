"""What a person tells the operator: one annotation that names a revision, and the wait until it is acknowledged."""

import asyncio

import click

from headgate_operator.cli.cluster import Deployment, Target, command, read, run
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_ACKNOWLEDGED_WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.3


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
    await command(api, deployment, text)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ACKNOWLEDGED_WITHIN_SECONDS
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
