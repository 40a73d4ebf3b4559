"""Hands a registered version to whoever deploys: as a file, as a commit, or to the cluster itself."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from headgate_components.deployment.deploy_model.cluster import apply, wait
from headgate_components.deployment.deploy_model.manifest import KIND, Target, Version, documents, render
from headgate_components.deployment.deploy_model.worktree import WorkTree
from headgate_components.files import replace_text
from headgate_components.rest import Server
from headgate_components.step import StepError


class Way(StrEnum):
    """How a manifest gets where it works."""

    FILE = "file"
    GIT = "git"
    APPLY = "apply"


@dataclass(frozen=True)
class Deployed:
    """What was done, and the manifest it was done with."""

    manifest: str
    sentence: str


def way(name: str) -> Way:
    """The way of this name.

    Raises:
        StepError: there is none; names those there are.
    """
    try:
        return Way(name)
    except ValueError as error:
        raise StepError(f"there is no way '{name}' to deploy; allowed are {', '.join(Way)}") from error


def write_file(version: Version, target: Target, *, file: str, base: str) -> Deployed:
    """Writes the manifest to a file, from what the file says already; only makes the manifest if no file is named.

    Raises:
        StepError: the manifest to start from cannot be used.
        OSError: the file cannot be written.
    """
    if not file:
        return Deployed(render(version, target, base), f"the manifest of version {version.version} was made")
    path = Path(file)
    text = render(version, target, path.read_text(encoding="utf-8") if path.exists() else base)
    replace_text(path, text)
    return Deployed(text, f"the manifest of version {version.version} was written to {path}")


def commit(version: Version, target: Target, *, repository: str, file: str, base: str, remote: str) -> Deployed:
    """Commits the manifest in a git working tree, from what was committed before, and pushes it if a remote is named.

    Raises:
        StepError: the working tree is not one, is on no branch, has unfinished changes of the file, or a push is refused.
    """
    tree = WorkTree.of(repository, file)
    text = render(version, target, tree.committed() or base)
    tree.refuse_uncommitted(text)
    done = tree.commit(text, f"deploy {target.name} version {version.version}\n\n{version.uri}")
    said = (
        f"version {version.version} was committed as {done.commit[:12]}"
        if done.changed
        else f"{tree.path} says version {version.version} already"
    )
    if remote:
        said += f" and pushed to {tree.push(remote)}"
    return Deployed(text, said)


def apply_and_wait(version: Version, target: Target, server: Server, *, base: str, wait_seconds: float) -> Deployed:
    """Applies the manifest and, with time to wait, waits until the version is promoted.

    Raises:
        StepError: the API server refuses, the version is, or there is no verdict in time.
    """
    text = render(version, target, base)
    generation = apply(server, documents(text), target.namespace)
    where = f"{KIND} {target.namespace}/{target.name}"
    if wait_seconds <= 0:
        return Deployed(text, f"version {version.version} was applied as {where}")
    ended = wait(server, target, uri=version.uri, generation=generation, seconds=wait_seconds)
    if not ended.promoted:
        raise StepError(f"{where}: {ended.sentence}")
    return Deployed(text, f"{where}: {ended.sentence}")
