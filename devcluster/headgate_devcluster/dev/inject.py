"""`headgate dev inject`: break a running cluster on purpose and see what happens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from headgate_devcluster.dev.calls import ask
from headgate_devcluster.dev.options import Seconds, one_sentence, with_folder
from headgate_devcluster.dev.sentences import active_sentence, sentence

F = TypeVar("F", bound=Callable[..., Any])
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_CODES = ("403", "404", "409", "410", "429", "500", "503", "504")
_resource = click.option("--resource", default="", help="Plural of the resource, such as inferenceservices; default: all.")
_for = click.option("--for", "seconds", type=Seconds(), help="How long, such as 30s; default: until --clear.")


@click.group(invoke_without_command=True)
@with_folder
@click.option("--list", "listing", is_flag=True, help="Say what is broken now.")
@click.option("--clear", is_flag=True, help="Mend everything.")
@click.option("--remove", metavar="ID", help="Mend one thing.")
@click.pass_context
def inject(context: click.Context, folder: Path, listing: bool, clear: bool, remove: str | None) -> None:
    """Break a running cluster on purpose: API errors, latency, lost answers, cut watches, crashes, a gateway or operator that hangs.

    The devcluster's own controllers are spared; the operator, kubectl and every other client meet the fault.
    """
    context.obj = folder
    if context.invoked_subcommand:
        return
    with one_sentence():
        if clear:
            ask(folder, "DELETE", "/faults")
            click.echo("nothing is broken any more")
        elif remove:
            ask(folder, "DELETE", f"/faults/{remove}")
            click.echo(f"{remove} is repaired")
        elif listing:
            _tell_active(folder)
        else:
            click.echo(context.get_help())


def _on_requests(command: F) -> F:
    """Add the options that say which requests are struck, and how often."""
    options = (
        click.option("--verb", "verbs", multiple=True, type=click.Choice(_VERBS), help="Only these verbs; may be repeated."),
        click.option("--resource", "resources", multiple=True, help="Only these, as modeldeployments/status; may be repeated."),
        click.option("--namespace", "-n", default="", help="Only objects of this namespace."),
        click.option("--name", default="", help="Only the object of this name."),
        click.option("--client", default="", help="Only clients whose User-Agent begins so; * for everyone, the devcluster included."),
        click.option("--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Share of requests struck."),
        click.option("--skip", type=click.IntRange(min=0), default=0, help="How many requests pass before the first is struck."),
        click.option("--count", "limit", type=click.IntRange(min=1), help="How many requests are struck; default: any number."),
        _for,
        click.option("--after", is_flag=True, help="Carry the request out first: only its answer is wrong or lost."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _inject_fault(folder: Path, effect: str, *, after: bool, **fields: Any) -> None:
    _inject(folder, "Fault", {"effect": effect, "moment": "after" if after else "before", **fields})


@inject.command()
@click.option("--code", type=click.Choice(_CODES), default="500", show_default=True, help="The HTTP code.")
@click.option("--retry-after", type=click.IntRange(min=0), help="Seconds that the answer tells the client to wait.")
@_on_requests
@click.pass_obj
def error(folder: Path, /, code: str, after: bool, **fields: Any) -> None:
    """Answer requests with an error, in the words of the real server."""
    _inject_fault(folder, "error", after=after, code=int(code), **fields)


@inject.command()
@click.option("--delay", type=Seconds(), default="1s", show_default=True, help="How late answers are.")
@_on_requests
@click.pass_obj
def latency(folder: Path, /, after: bool, **fields: Any) -> None:
    """Answer requests late."""
    _inject_fault(folder, "latency", after=after, **fields)


@inject.command()
@_on_requests
@click.pass_obj
def drop(folder: Path, /, after: bool, **fields: Any) -> None:
    """Close connections without an answer, as an API server that is down."""
    _inject_fault(folder, "drop", after=after, **fields)


@inject.command()
@_on_requests
@click.pass_obj
def crash(folder: Path, /, after: bool, **fields: Any) -> None:
    """Kill the operator at its own request, for example after its third write: --after --skip 2 --count 1 --verb patch."""
    _inject_fault(folder, "crash", after=after, **fields)


@inject.command()
@_resource
@click.pass_obj
def cut(folder: Path, resource: str) -> None:
    """Cut watches; clients go on from where they were."""
    _inject(folder, "CutWatches", {"resource": resource})


@inject.command()
@_resource
@click.option("--for", "seconds", type=Seconds(), default="5s", show_default=True, help="How long watches see nothing.")
@click.pass_obj
def blind(folder: Path, resource: str, seconds: float) -> None:
    """Let watches miss what happens, deletions included, then answer 410 Gone."""
    _inject(folder, "BlindWatches", {"resource": resource, "seconds": seconds})


@inject.command()
@click.argument("name")
@click.pass_obj
def pod(folder: Path, name: str) -> None:
    """Kill the server of the Pod NAME; it is started again."""
    _inject(folder, "CrashPod", {"name": name})


@inject.command()
@_for
@click.option("--restart", is_flag=True, help="Instead end it and start it again at once: its counters begin anew.")
@click.pass_obj
def gateway(folder: Path, seconds: float | None, restart: bool) -> None:
    """Freeze the gateway, so that connections hang, or restart it."""
    if restart and seconds is not None:
        raise click.UsageError("--restart happens at once; leave out --for")
    _inject(folder, "RestartGateway" if restart else "FreezeGateway", {} if restart else {"seconds": seconds})


@inject.group()
def operator() -> None:
    """Kill or pause the operator."""


@operator.command()
@click.pass_obj
def kill(folder: Path) -> None:
    """Kill the operator; it is started again a second later."""
    _inject(folder, "KillOperator", {})


@operator.command()
@_for
@click.pass_obj
def pause(folder: Path, seconds: float | None) -> None:
    """Stop the operator in its tracks, as on a node that hangs."""
    _inject(folder, "PauseOperator", {"seconds": seconds})


def _inject(folder: Path, kind: str, body: dict[str, Any]) -> None:
    with one_sentence():
        name = ask(folder, "POST", f"/faults/{kind}", {key: value for key, value in body.items() if value is not None})["id"]
    click.echo(f"{name}: {sentence(kind, body)}" if name else sentence(kind, body))


def _tell_active(folder: Path) -> None:
    active = ask(folder, "GET", "/faults")
    click.echo("\n".join(map(active_sentence, active)) or "nothing is broken")
