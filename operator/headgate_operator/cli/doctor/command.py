"""The command itself: what is asked for, and how the checklist is printed."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import aiohttp
import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from headgate_operator.cli.cluster import MODEL_DEPLOYMENTS, Target, run, target_options
from headgate_operator.cli.doctor.case import Case
from headgate_operator.cli.doctor.examine import CHECKS, Result, examine
from headgate_operator.cli.doctor.findings import Level
from headgate_operator.cli.doctor.settings import NAMESPACE, OperatorSettings, UnreadableSettingsError, read_settings
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.options import duration_option
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.view import console
from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.protocol import ApiError, Object

_COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "red", Level.UNKNOWN: "magenta"}
_BAD: Final = frozenset({Level.FAILED, Level.UNKNOWN})


@click.command()
@click.option("--all-namespaces", "-A", is_flag=True, help="Look at the ModelDeployments of all namespaces.")
@click.option("--operator-namespace", default=NAMESPACE, show_default=True, help="Where the operator is; its settings are read there.")
@click.option("--gateway", metavar="NAMESPACE/NAME", help="Instead of what the operator is set to.")
@click.option("--prometheus", metavar="URL", help="Instead of what the operator is set to, such as a forwarded port.")
@click.option("--monitor", metavar="URL", help="Instead of what the operator is set to.")
@click.option("--skip", multiple=True, type=click.Choice([*CHECKS][1:]), help="Leave a check out; may be given several times.")
@click.option("--timeout", default="10s", show_default=True, callback=duration_option, help="How long one check may take.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@target_options
@click.pass_context
def doctor(
    ctx: click.Context, /, target: Target, all_namespaces: bool, operator_namespace: str, skip: tuple[str, ...], timeout: timedelta,
    output: Format, **given: Any,
) -> None:  # fmt: skip
    """Check that everything rollouts need is in place, and say what to do where it is not.

    Every check ends as ok, warning, failed or unknown; what cannot be found out is never ok. Exits with 0 if all are ok or warnings, 1 if
    any failed or is unknown, 2 for wrong usage. Changes nothing and reads no Secret.
    """  # fmt: skip
    names = [name for name in CHECKS if name not in skip]
    namespace = None if all_namespaces else target.namespace

    async def look(api: Any) -> list[Result]:
        async with aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=timeout.total_seconds())) as http:
            case = await _case(api, http, namespace, operator_namespace, timeout, given)
            return await examine(case, names, seconds=timeout.total_seconds())

    results = run(target, look)
    if output is Format.TABLE:
        console().print(checklist(results))
    else:
        show(report(results), output)
    ctx.exit(Exit.FAILED if any(finding.level in _BAD for result in results for finding in result.findings) else Exit.OK)


async def _case(
    api: KubeClient, http: aiohttp.ClientSession, namespace: str | None, operator_namespace: str, patience: timedelta, given: Any
) -> Case:  # fmt: skip
    """Read what every check starts from; what cannot be read is left to the checks to complain of."""
    settings, models = OperatorSettings(namespace=operator_namespace, lease_namespace=operator_namespace), None
    try:
        async with asyncio.timeout(patience.total_seconds()):
            settings = await read_settings(api, operator_namespace)
            models = await _models(api, namespace)
    except UnreadableSettingsError as error:
        remedy = "use the `headgate` of the operator's release"
        raise Failure(f"the operator's settings in {operator_namespace} are none that this release knows: {error}; {remedy}") from error
    except (ApiError, TimeoutError):
        pass
    return Case(api=api, http=http, settings=settings.but(**given), models=models)


async def _models(api: KubeClient, namespace: str | None) -> Sequence[Object]:
    return await api.list(MODEL_DEPLOYMENTS, namespace)


def report(results: Sequence[Result]) -> dict[str, Any]:
    """Return everything as plain data: how many of each level, and the lines."""
    lines = [{"check": result.check, **asdict(finding)} for result in results for finding in result.findings]
    return {"summary": {str(level): sum(line["level"] == level for line in lines) for level in Level}, "findings": lines}


def checklist(results: Sequence[Result]) -> RenderableType:
    """Return the checklist, ready to print."""
    parts: list[RenderableType] = []
    for result in results:
        for finding in result.findings:
            line = Text.assemble((f"{finding.level:<8}", _COLOURS[finding.level]), (f"{result.check:<12}", "bold"), finding.message)
            parts.append(line)
            if finding.remedy:
                parts.append(Padding(Text(f"→ {finding.remedy}", "dim"), (0, 0, 0, 20)))
    counts = ", ".join(f"{count} {level}" for level, count in report(results)["summary"].items() if count)
    return Group(*parts, Text(f"\n{counts}"))
