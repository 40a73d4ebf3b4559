"""`make images`: build the images with Docker or Podman, each under the name that the manifests and the pipelines say."""

import os
import shlex
import shutil
import subprocess
import sys
import tomllib

from images.recipes import ROOT, Recipe, recipes

from headgate_components.image import BASE_IMAGE

REGISTRY = "ghcr.io/headgate"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def tag(recipe: Recipe) -> str:
    """The name that manifests, or compiled pipelines, ask for."""
    return BASE_IMAGE if recipe.name == "components" else f"{REGISTRY}/{recipe.repository}:{VERSION}"


def command(recipe: Recipe, program: str, *, revision: str, epoch: str) -> list[str]:
    """The command line that builds an image from the root of the project."""
    arguments = {"VERSION": VERSION, "REVISION": revision, "SOURCE_DATE_EPOCH": epoch}
    told = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    return [program, "build", "--file", str(recipe.path.relative_to(ROOT)), "--tag", tag(recipe), *told, "."]


def main(names: list[str]) -> int:
    """Build the images named, or all; 1 if one cannot be built."""
    known = {recipe.name: recipe for recipe in recipes()}
    if unknown := [name for name in names if name not in known]:
        print(f"headgate: error: there is no image '{unknown[0]}', but {', '.join(known)}", file=sys.stderr)  # noqa: T201
        return 2
    program = os.environ.get("CONTAINER") or next(filter(shutil.which, ("docker", "podman")), None)
    if program is None:
        print(  # noqa: T201
            "headgate: error: neither docker nor podman was found, which build images; `make image-sizes` needs neither",
            file=sys.stderr,
        )
        return 1
    revision, epoch = (_git("log", "-1", f"--format={form}") for form in ("%H", "%ct"))
    for name in names or known:
        line = command(known[name], program, revision=revision, epoch=epoch)
        print(shlex.join(line), flush=True)  # noqa: T201
        if subprocess.run(line, check=False, cwd=ROOT).returncode:
            return 1
    return 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, cwd=ROOT, timeout=30).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
