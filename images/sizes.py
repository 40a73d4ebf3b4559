"""`make image-sizes`: build each image's environment from the lock as its Containerfile does, check that it runs, and print its size.

No container is needed. What the base image adds is not counted.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from images.recipes import ROOT, Recipe, context, recipes

UV = os.environ.get("UV", "uv")
_MEGABYTE = 1_000_000


class ImageError(Exception):
    """An environment cannot be built, or does not run; the message says which and why."""


def build(recipe: Recipe, folder: Path) -> Path:
    """Run the commands of its first stage below a folder; return the environment."""
    source, environment = folder / "source", folder / recipe.name
    source.mkdir()
    for name in context():
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    variables = recipe.environment | {"UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON": sys.executable, "UV_NO_CACHE": "0"}
    for _, *arguments in recipe.syncs:
        _run(recipe, [UV, *arguments], cwd=source, env=_clean() | variables)
    shutil.rmtree(source)
    return environment


def check(recipe: Recipe, environment: Path) -> None:
    """Import everything that runs in the image, and start its program as far as its help."""
    python = str(environment / "bin" / "python")
    _run(recipe, [python, str(Path(__file__).with_name("imports.py")), *recipe.packages], cwd=environment, env=_clean())
    if recipe.entrypoint:
        _run(recipe, [python, *recipe.entrypoint[1:], "--help"], cwd=environment, env=_clean())


def sizes(environment: Path) -> Counter[str]:
    """Bytes by package of an environment, `(rest)` for what lies beside them."""
    found: Counter[str] = Counter()
    for path in environment.rglob("*"):
        if path.is_file() and not path.is_symlink():
            *_, package = ("(rest)", *path.relative_to(environment).parts[3:4])
            found[package.partition(".")[0]] += path.stat().st_size
    return found


def _clean() -> dict[str, str]:
    """The variables of this process without those that would lead to other code or another environment."""
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def _run(recipe: Recipe, command: list[str], *, cwd: Path, env: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600, cwd=cwd, env=env)
    except FileNotFoundError as error:
        raise ImageError(f"{command[0]} was not found; start this by `make image-sizes`") from error
    if done.returncode:
        raise ImageError(f"the image '{recipe.name}': `{' '.join(command[:6])} …` fails: {(done.stdout + done.stderr).strip()}")


def main() -> int:
    """Print one line an image; 1 if one of them does not run."""
    print(f"{'image':<12} {'MB':>6} {'packages':>9}  largest (MB)")  # noqa: T201
    for recipe in recipes():
        try:
            with TemporaryDirectory(prefix="headgate-image-") as folder:
                environment = build(recipe, Path(folder))
                check(recipe, environment)
                found = sizes(environment)
                packages = len(list(environment.glob("lib/*/site-packages/*.dist-info")))
        except ImageError as error:
            print(f"headgate: error: {error}", file=sys.stderr)  # noqa: T201
            return 1
        largest = ", ".join(f"{name} {size / _MEGABYTE:.0f}" for name, size in found.most_common(4))
        print(f"{recipe.name:<12} {found.total() / _MEGABYTE:>6.0f} {packages:>9}  {largest}", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
