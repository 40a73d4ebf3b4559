"""`-o table|json|yaml`: one answer, for people or for programs."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import click

from headgate_operator.cli.manifests import to_yaml

F = TypeVar("F", bound=Callable[..., Any])


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def output_option(default: Format, *others: Format) -> Callable[[F], F]:
    """Add `-o` with these formats to a command; the first is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice([one.value for one in (default, *others)]),  # the members themselves would be matched by NAME
        default=default.value,
        callback=lambda _ctx, _parameter, value: Format(value),
        show_default=True,
        help="Output format.",
    )


def show(data: Any, output: Format) -> None:
    """Print plain data as JSON or YAML."""
    click.echo(json.dumps(data, indent=2) if output is Format.JSON else to_yaml(data), nl=output is Format.JSON)
