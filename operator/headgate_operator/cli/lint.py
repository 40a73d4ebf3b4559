"""`headgate lint`: what an API server would refuse, said before anybody applies it."""

from collections.abc import Mapping
from typing import Any

import click

from headgate_operator.api.manifest import problems
from headgate_operator.api.names import API_VERSION, KIND
from headgate_operator.api.spec import ModelDeploymentSpec, counting_fallbacks
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.manifests import Document, claims_to_be_ours, read_documents
from headgate_operator.cli.outlook import outlook
from headgate_operator.cli.queries import query_problems


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-q", "--quiet", is_flag=True, help="Print problems only.")
@click.pass_context
def lint(ctx: click.Context, files: tuple[str, ...], quiet: bool) -> None:
    """Check ModelDeployment manifests and say what each rollout will do.

    FILE may hold several documents; other kinds of objects are skipped. `-` reads standard input. Needs no cluster.
    """
    checked = wrong = 0
    for path in files:
        try:
            documents = read_documents(path)
        except Failure as failure:
            failure.show()
            wrong += 1
            continue
        for document in documents:
            good = _check(document, quiet=quiet)
            checked += good is not None
            wrong += good is False
    if not checked and not wrong:
        raise Failure(f"no ModelDeployment in {', '.join(files)}; lint checks documents of apiVersion {API_VERSION}, kind {KIND}")
    if wrong:
        ctx.exit(Exit.FAILED)


def _check(document: Document, *, quiet: bool) -> bool | None:
    """Return whether a document is right; None if it is not ours to judge."""
    content = document.content
    if not isinstance(content, Mapping):
        return _complain(document, ["is not an object: a manifest is a mapping with apiVersion, kind, metadata and spec"])
    if not {"apiVersion", "kind", "metadata"} & set(content):
        keys = ", ".join(map(str, list(content)[:4])) or "nothing at all"
        return _complain(document, [f"is no Kubernetes object: it has neither apiVersion nor kind nor metadata, but {keys}"])
    if not claims_to_be_ours(content):
        if not quiet:
            click.echo(f"{document.source}: skipped, {_kind(content)} is not a {KIND}")
        return None
    found = problems(content)
    if found:
        return _complain(document, [str(problem) for problem in found])
    spec = counting_fallbacks(ModelDeploymentSpec.model_validate(content["spec"]), prometheus=False)
    if (unanswerable := query_problems(spec)) != []:
        return _complain(document, unanswerable)
    if not quiet:
        _praise(document, content, spec)
    return True


def _kind(content: Mapping[str, Any]) -> str:
    name = (content.get("metadata") or {}).get("name", "?") if isinstance(content.get("metadata"), Mapping) else "?"
    return f"{content.get('kind', 'an object without kind')} {name}"


def _complain(document: Document, sentences: list[str]) -> bool:
    for sentence in sentences:
        click.echo(f"headgate: error: {document.source}: {sentence}", err=True)
    return False


def _praise(document: Document, content: Mapping[str, Any], spec: ModelDeploymentSpec) -> None:
    metadata = content["metadata"]
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    click.echo(f"{document.source}: {KIND} {name} is valid")
    for sentence in outlook(spec):
        click.echo(f"  · {sentence}")
