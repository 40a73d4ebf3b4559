"""What the Containerfiles of this folder say, for those who build, measure and check them: nothing of it is written twice."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
RUNS: Final = {
    "components": ("headgate_components", "headgate_serving.model", "headgate_monitor.detectors"),
    "monitor": ("headgate_monitor",),
    "operator": ("headgate_operator",),
    "serving": ("headgate_serving",),
}
"""The packages whose code runs in each image."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One Containerfile."""

    name: str
    path: Path
    repository: str
    """Without registry and tag."""
    environment: dict[str, str]
    """Variables of the stage that builds."""
    syncs: tuple[tuple[str, ...], ...]
    """Its `uv sync` command lines."""
    entrypoint: tuple[str, ...]
    """Empty for an image whose user brings the command along."""

    @property
    def packages(self) -> tuple[str, ...]:
        """What must be importable."""
        return RUNS[self.name]

    @property
    def groups(self) -> frozenset[str]:
        """The dependency groups it installs."""
        pairs = (pair for command in self.syncs for pair in pairwise(command))
        return frozenset(value for flag, value in pairs if flag in {"--group", "--only-group"})


@cache
def recipes() -> tuple[Recipe, ...]:
    """Every Containerfile, by name."""
    return tuple(_read(path) for path in sorted(ROOT.glob("images/*.Containerfile")))


def context() -> tuple[str, ...]:
    """What .dockerignore lets through: names at the root of the project."""
    return tuple(line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!"))


def instructions(path: Path) -> Iterator[tuple[str, str]]:
    """Each instruction of a Containerfile with what follows it, continued lines joined."""
    for line in re.sub(r"\\\n", " ", path.read_text()).splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword and not keyword.startswith("#"):
            yield keyword, rest.strip()


def _read(path: Path) -> Recipe:
    lines = list(instructions(path))
    second_stage = [number for number, (keyword, _) in enumerate(lines) if keyword == "FROM"][-1]
    (environment,) = [rest for keyword, rest in lines[:second_stage] if keyword == "ENV"]
    (title,) = [found[1] for _, rest in lines if (found := re.search(r'image\.title="([^"]+)"', rest))]
    return Recipe(
        name=path.name.removesuffix(".Containerfile"),
        path=path,
        repository=title,
        environment=dict(pair.split("=", 1) for pair in shlex.split(environment)),
        syncs=tuple(tuple(shlex.split(rest)) for keyword, rest in lines if keyword == "RUN" and rest.startswith("uv sync")),
        entrypoint=next((tuple(json.loads(rest)) for keyword, rest in lines if keyword == "ENTRYPOINT"), ()),
    )
