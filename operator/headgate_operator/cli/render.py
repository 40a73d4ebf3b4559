"""`headgate render`: the plain YAML that the operator would create, for people who want to see it, check it, or apply it by hand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from headgate_operator.api.manifest import problems
from headgate_operator.api.names import KIND
from headgate_operator.api.spec import Gateway, ModelDeploymentSpec
from headgate_operator.cli.errors import Failure
from headgate_operator.cli.manifests import Document, claims_to_be_ours, read_documents, to_yaml
from headgate_operator.cli.rendering import Settings, Stage, Version, alone, at_weight, rollout
from headgate_operator.controller.settings import SettingsError, parse_gateway
from headgate_operator.kserve.names import NamespaceTooLongError

_RUNTIMES = frozenset({"ServingRuntime", "ClusterServingRuntime"})


@dataclass(frozen=True)
class _Source:
    """What all manifests are rendered with."""

    runtimes: Sequence[Document]
    namespace: str
    settings: Settings


def _gateway(_ctx: click.Context, parameter: click.Parameter, text: str) -> Gateway:
    try:
        return parse_gateway(text)
    except SettingsError as error:
        raise click.BadParameter(str(error), param=parameter) from error


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--stable", "stables", multiple=True, metavar="FILE", help="Manifest that is served now; may be repeated.")
@click.option("--weight", type=click.IntRange(0, 100), help="With --stable: only what there is when the new version has this share.")
@click.option("--runtime", "runtimes", multiple=True, metavar="FILE", help="File with serving runtimes; may be repeated.")
@click.option("--uri", help="Storage URI of the model, for a manifest that follows an alias of a registry.")
@click.option("--stable-uri", metavar="TEXT", help="The same for the manifest that is served now.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of manifests that name none.")
@click.option("--gateway", default="kserve/kserve-ingress-gateway", show_default=True, callback=_gateway, help="As the operator's option.")
@click.option("--domain", default="example.com", show_default=True, help="As the operator's option.")
@click.option("--monitor", metavar="URL", help="As the operator's option: where drift is watched, copies of requests go there.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write (default: standard output).")
def render(
    files: tuple[str, ...], stables: tuple[str, ...], weight: int | None, runtimes: tuple[str, ...], uri: str | None,
    stable_uri: str | None, namespace: str, gateway: Gateway, domain: str, monitor: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Print the plain YAML of everything the operator would create for a manifest.

    That is one HTTPRoute, and for each version an InferenceService and a copy of its serving runtime. With --stable, prints a whole
    rollout, stage by stage, each with only what changes; with --weight as well, everything there is at that share of the traffic. FILE
    and the files of --stable may hold several documents; serving runtimes are picked up from them. Needs no cluster, and the same input
    gives the same output. What only a cluster knows is left out: the owner, and how many replicas stable has at the time. The operator
    does not take over objects applied by hand: use one or the other.
    """
    if weight is not None and not stables:
        raise click.UsageError("--weight needs --stable: alone a version has all the traffic")
    documents, served = _read(files), _read(stables)
    extra = [document for document in (*documents, *served, *_read(runtimes)) if document.content.get("kind") in _RUNTIMES]
    source = _Source(extra, namespace, Settings(gateway=gateway, domain=domain, monitor=monitor))
    new, old = _versions(documents, uri, "--uri", source), _versions(served, stable_uri, "--stable-uri", source)
    if not new:
        raise Failure(f"no {KIND} in {', '.join(files)}")
    if stables and not new.keys() & old.keys():
        raise Failure(f"no {KIND} of --stable has the name and namespace of one in {', '.join(files)}")
    text = "".join(_written(stages) for stages in _stages(new, old, weight, source.settings))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output}: cannot be written: {error.strerror}") from error


def _stages(
    new: Mapping[tuple[str, str], Version], old: Mapping[tuple[str, str], Version], weight: int | None, settings: Settings
) -> Iterator[Iterable[Stage]]:
    """Yield the stages of each ModelDeployment."""
    for key, version in new.items():
        stable = old.get(key)
        if stable is None or stable.pinned.id == version.pinned.id:
            yield [alone(version, settings)]
        elif stable.spec.serving.mode is not version.spec.serving.mode:
            raise Failure(f"{version.name}: spec.serving.mode is immutable; it is {stable.spec.serving.mode.value} now")
        else:
            yield rollout(stable, version, settings) if weight is None else [at_weight(stable, version, weight, settings)]


def _written(stages: Iterable[Stage]) -> str:
    """Write what each stage adds or changes, and say what it removes."""
    parts: list[str] = []
    before: dict[tuple[str, str], Any] = {}
    for stage in stages:
        now = {(obj["kind"], obj["metadata"]["name"]): obj for obj in stage.objects}
        comments = [stage.title, *(f"deleted: {kind} {name}" for kind, name in before if (kind, name) not in now)]
        changed = [obj for key, obj in now.items() if before.get(key) != obj]
        parts.append("---\n" + "".join(f"# {comment}\n" for comment in comments) + "---\n".join(map(to_yaml, changed)))
        before = now
    return "".join(parts)


def _read(files: Sequence[str]) -> list[Document]:
    """Return the objects in files."""
    documents = [document for file in files for document in read_documents(file)]
    for document in documents:
        if not isinstance(document.content, Mapping):
            raise Failure(f"{document.source}: is not an object: a manifest is a mapping with apiVersion, kind, metadata and spec")
    return documents


def _versions(documents: Sequence[Document], uri: str | None, option: str, source: _Source) -> dict[tuple[str, str], Version]:
    """Return the ModelDeployments among documents as revisions, by namespace and name."""
    ours = [document for document in documents if claims_to_be_ours(document.content)]
    for document in ours:
        if found := problems(document.content):
            raise Failure(f"{document.source}: {found[0]}" + (f" (and {len(found) - 1} more: see `headgate lint`)" if found[1:] else ""))
    specs = [(document, ModelDeploymentSpec.model_validate(document.content["spec"])) for document in ours]
    following = [document.source for document, spec in specs if spec.model.registry is not None]
    if uri is not None and len(following) != 1:
        raise Failure(f"{option} is for one manifest that follows an alias of a registry; here are {len(following)}")
    versions = (_version(document, spec, uri, option, source) for document, spec in specs)
    return {(version.namespace, version.name): version for version in versions}


def _version(document: Document, spec: ModelDeploymentSpec, uri: str | None, option: str, source: _Source) -> Version:
    metadata = document.content["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace") or source.namespace
    model = spec.model.uri or uri
    if model is None:
        raise Failure(f"{document.source}: follows an alias of a registry, which is not asked here: name the model's URI with {option}")
    runtime = _runtime(document, spec.model.runtime, namespace, source)
    try:
        return Version.of(spec, name=name, namespace=namespace, uri=model, runtime=runtime, settings=source.settings)
    except NamespaceTooLongError as error:
        raise Failure(f"{document.source}: {error}") from error


def _runtime(document: Document, name: str, namespace: str, source: _Source) -> Mapping[str, Any]:
    """Return the runtime as KServe would find it: the namespace's own first."""
    named = [one.content for one in source.runtimes if (one.content.get("metadata") or {}).get("name") == name]
    own = [one for one in named if one["kind"] == "ServingRuntime" and one["metadata"].get("namespace", namespace) == namespace]
    shared = [one for one in named if one["kind"] == "ClusterServingRuntime"]
    found = next(iter([*own, *shared]), None)
    if found is None or not isinstance(found.get("spec"), Mapping):
        raise Failure(
            f"{document.source}: the serving runtime {name} is in none of the files; name its file with --runtime "
            f"(`kubectl get clusterservingruntime {name} -o yaml` writes it)"
        )
    return dict(found)
