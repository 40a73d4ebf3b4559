"""Option values that manifests know too: shares with a percent sign, durations with units."""

from datetime import timedelta

import click

from headgate_operator.api.quantities import parse_duration, parse_share


def duration_option(_ctx: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    """Read a duration option; a click usage error says what is allowed."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from error


def share_option(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Read a share such as `1%`, None if it is not given; a click usage error says what is allowed."""
    if text is None:
        return None
    try:
        return parse_share(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from error
