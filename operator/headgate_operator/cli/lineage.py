"""`headgate lineage`: from which data, by which code and run a version came to be, and where it serves."""

import asyncio
from pathlib import Path
from typing import Final

import click

from headgate_operator.cli.cluster import MODEL_DEPLOYMENTS, Deployment, Target, optional_target_options, run
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.lineage_chain import chain, followed_registry
from headgate_operator.cli.lineage_view import lines
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.registry_records import RegistryReader, RegistryReadError, RunRecord, VersionRecord
from headgate_operator.cli.registry_rest import RestRegistry
from headgate_operator.cli.registry_sqlite import PREFIX, SqliteRegistry

_VARIABLE: Final = "MLFLOW_TRACKING_URI"
Records = tuple[VersionRecord | None, RunRecord | None]


@click.command()
@click.argument("model")
@click.option("--version", "number", metavar="N", help="The version (default: the newest).")
@click.option("--alias", help="The version that this alias names.")
@click.option(
    "--tracking-uri", envvar=_VARIABLE, show_envvar=True,
    help="MLflow: the URL of a server, or sqlite:///PATH (default: that of a ModelDeployment which follows the model).",
)  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path), help="File with a bearer token or user:password for the MLflow server.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look for deployments in every namespace.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@optional_target_options
def lineage(
    model: str, *, number: str | None, alias: str | None, tracking_uri: str | None, token_file: Path | None, all_namespaces: bool,
    target: Target | Failure, output: Format,
) -> None:  # fmt: skip
    """Print where a registered model version came from and where it runs: data, features, run, version, deployments.

    If the registry or the cluster cannot be reached, standard error says what is missing, the rest is printed, and the exit code is 1.
    """
    if number is not None and alias is not None:
        raise click.UsageError("--version and --alias exclude each other")
    if number is not None and not number.isdecimal():
        raise click.UsageError(f"'{number}' is no version; versions are whole numbers, names are for --alias")
    if token_file is not None and tracking_uri is None:
        raise click.UsageError("--token-file needs --tracking-uri: a manifest's author must not choose which server is sent the secret")
    notes: list[str] = []
    deployments = _deployments(target, everywhere=all_namespaces, notes=notes)
    version, made_by = _records(model, number, alias, tracking_uri or followed_registry(deployments or (), model), token_file, notes)
    found = {**chain(model, version, made_by, deployments, number), "notes": notes}
    if output is Format.TABLE:
        click.echo("\n".join(lines(found)))
    else:
        show(found, output)
    for note in notes:
        Failure(note).show()
    if notes:
        raise click.exceptions.Exit(Exit.FAILED)


def _deployments(target: Target | Failure, *, everywhere: bool, notes: list[str]) -> list[Deployment] | None:
    if isinstance(target, Failure):
        notes.append(f"deployments are not known: {target.message}")
        return None
    try:
        objects = run(target, lambda api: api.list(MODEL_DEPLOYMENTS, None if everywhere else target.namespace))
    except Failure as failure:
        notes.append(f"deployments are not known: {failure.message}")
        return None
    return [Deployment.of(obj) for obj in objects]


def _records(
    model: str, number: str | None, alias: str | None, address: str | None, token_file: Path | None, notes: list[str]
) -> Records:  # fmt: skip
    if address is None:
        notes.append(f"the registry is not known: name it with --tracking-uri or ${_VARIABLE}; no ModelDeployment here follows '{model}'")
        return None, None
    return asyncio.run(_read(_reader(address, token_file), model, number, alias, notes))


def _reader(address: str, token_file: Path | None) -> RegistryReader:
    if address.startswith(PREFIX):
        return SqliteRegistry(address)
    if address.startswith(("http://", "https://")):
        return RestRegistry(address, token_file)
    raise Failure(f"the tracking URI '{address}' is neither http(s)://… nor sqlite:///PATH", Exit.USAGE)


async def _read(registry: RegistryReader, model: str, number: str | None, alias: str | None, notes: list[str]) -> Records:
    version: VersionRecord | None = None
    try:
        version = await registry.version(model, number or await registry.number_of(model, alias))
        return version, await registry.run(version.run_id) if version.run_id else None
    except RegistryReadError as error:
        notes.append(str(error))
        return version, None
    finally:
        await registry.close()
