"""`headgate audit`: the operator's audit log, each change once, for people."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.output import Format, output_option
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.view import console

_FORMAT = 1
Line = dict[str, Any]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("-n", "--namespace", help="Changes in this namespace only.")
@click.option("--name", help="Changes of ModelDeployments of this name only.")
@click.option("--decided", is_flag=True, help="Decisions and edits only, not that the gateway was seen to carry them.")
@output_option(Format.TABLE, Format.JSON)
def audit(file: Path, namespace: str | None, name: str | None, decided: bool, output: Format) -> None:
    """Show who or what changed traffic, from the operator's audit log.

    FILE is what the operator writes with --audit-log, or - for standard input, as in `kubectl logs deploy/headgate-operator | headgate
    audit -`: other lines are skipped. A change that was written twice, as after a crash, is shown once. With -o json the lines
    are printed as they are.
    """
    lines = [line for line in _lines(file) if _wanted(line, namespace, name, decided=decided)]
    if output is Format.JSON:
        for line in lines:
            click.echo(json.dumps(line))
        return
    if not lines:
        source = "standard input" if str(file) == "-" else file
        click.echo(f"no such change of traffic in {source}: is it what the operator writes with --audit-log?")
        return
    table = plain_table("time", "model", "what", "by", "reason", "weights", "message")
    for line in lines:
        model = f"{line['object']['namespace']}/{line['object']['name']}"
        by = line["command"] and f"{line['actor']}: {line['command']}"
        table.add_row(line["time"], model, line["kind"], by or line["actor"], line["reason"], _weights(line), line["message"])
    console().print(table)


def _lines(file: Path) -> Iterator[Line]:
    """Yield each change once, in the order of the log."""
    try:
        with _opened(file) as text:
            yield from _once(_parsed(text))
    except OSError as error:
        raise Failure(f"the audit log {file} cannot be read: {error.strerror}", Exit.USAGE) from error


def _opened(file: Path) -> TextIO:
    return sys.stdin if str(file) == "-" else file.open(encoding="utf-8", errors="replace")


def _once(lines: Iterable[Line]) -> Iterator[Line]:
    seen: set[str] = set()
    for line in lines:
        if line["id"] not in seen:
            seen.add(line["id"])
            yield line


def _parsed(text: Iterable[str]) -> Iterator[Line]:
    for row in text:
        try:
            line = json.loads(row)
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("format") == _FORMAT and isinstance(line.get("weights"), dict) and "id" in line:
            yield line


def _wanted(line: Line, namespace: str | None, name: str | None, *, decided: bool) -> bool:
    subject = line["object"]
    where = namespace in (None, subject["namespace"]) and name in (None, subject["name"])
    return where and not (decided and line["kind"] == "Carried")


def _weights(line: Line) -> str:
    """Write what every version had and has: `r1 100→80, r2 0→20`."""
    before, after = line["weights"]["before"], line["weights"]["after"]
    shares = [f"{id_} {before.get(id_, 0)}→{after.get(id_, 0)}" for id_ in sorted({*before, *after})]
    copies = [f"{id_} gets a copy of {percent}%" for id_, percent in line["mirrors"]["after"].items()]
    return ", ".join([*shares, *copies])
