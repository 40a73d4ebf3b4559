"""Writes each component's README.md from its code and its metadata.yaml: `python -m headgate_components.readme`.

A test compares the files with what this module would write, so that they cannot lie.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docstring_parser
import yaml
from kfp.dsl.base_component import BaseComponent

ROOT = Path(__file__).parent
RETURNED = "Output"
"""What kfp calls the value a component returns."""


def component_folders() -> Iterator[Path]:
    """The folders that hold a component, in order of their names."""
    return (path.parent for path in sorted(ROOT.glob("*/*/component.py")))


def load_component(folder: Path) -> BaseComponent:
    """The component in a folder; it has the folder's name."""
    module = importlib.import_module(f"headgate_components.{folder.parent.name}.{folder.name}.component")
    component: BaseComponent = getattr(module, folder.name)
    return component


def readme(folder: Path) -> str:
    """The text of a component's README.md."""
    component = load_component(folder)
    metadata: dict[str, Any] = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
    described = docstring_parser.parse(component.python_func.__doc__)
    texts = {parameter.arg_name: parameter.description or "" for parameter in described.params}
    if described.returns:
        texts |= _returned(described.returns)
    spec = component.component_spec
    inputs = [(name, _type(item.type), _default(item), texts[name]) for name, item in (spec.inputs or {}).items()]
    outputs = [(name, _type(item.type), texts[name]) for name, item in (spec.outputs or {}).items()]
    parts = [
        "<!-- Written by `python -m headgate_components.readme` from component.py and metadata.yaml; change those. -->",
        f"# {folder.name}",
        "\n\n".join(text for text in (described.short_description, described.long_description) if text),
        _facts(metadata),
        "## Inputs",
        _table(("input", "type", "default", "meaning"), inputs) if inputs else "None.",
        "## Outputs",
        _table(("output", "type", "meaning"), outputs) if outputs else "None: it passes or it fails.",
        "## Use",
        f"```python\nfrom headgate_components.{folder.parent.name}.{folder.name}.component import {folder.name}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _returned(described: docstring_parser.DocstringReturns) -> dict[str, str]:
    """The meaning of the value a component returns, or of each of several: lines such as `verdict: promote or keep.`, by their names."""
    if described.type_name is None:
        return {RETURNED: described.description or ""}
    return dict(re.findall(r"^(\w+): (.+)$", f"{described.type_name}: {described.description}", re.MULTILINE))


def _facts(metadata: dict[str, Any]) -> str:
    services = ", ".join(service["name"] for service in metadata["dependencies"]["external_services"]) or "none"
    needs = ", ".join(f"{item['name']} {item['version']}" for item in metadata["dependencies"]["kubeflow"])
    facts = {"Stability": metadata["stability"], "Needs": needs, "External services": services, "Tags": ", ".join(metadata["tags"])}
    return "\n".join(f"- **{name}**: {value}" for name, value in facts.items())


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _type(name: str) -> str:
    return name.removeprefix("system.").partition("@")[0]


def _default(item: Any) -> str:
    if not item.optional:
        return "required"
    return "none" if item.default is None else f"`{item.default!r}`"


def main() -> None:
    """Writes all of them."""
    for folder in component_folders():
        (folder / "README.md").write_text(readme(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
