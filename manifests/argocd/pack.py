"""Packs the Lua files beside it into the patch of Argo CD's ConfigMap: `python manifests/argocd/pack.py > manifests/argocd/argocd-cm.yaml`.

The files are what people read and tests run; Argo CD wants them inside of strings, the actions inside of YAML inside of a string. A test
compares.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
KIND = "headgate.dev_ModelDeployment"
_HEADER = "# Generated from the Lua files beside it by pack.py; edit those, not this file.\n"


class _Dumper(yaml.SafeDumper):
    """Strings of several lines as literal blocks, which people can read."""


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
)


def packed() -> str:
    """Return the patch."""
    actions = {
        "discovery.lua": _lua("actions/discovery.lua"),
        "definitions": [
            {"name": path.parent.name, "action.lua": path.read_text(encoding="utf-8")}
            for path in sorted(FOLDER.glob("actions/*/action.lua"))
        ],
    }
    data = {
        f"resource.customizations.health.{KIND}": _lua("health.lua"),
        f"resource.customizations.actions.{KIND}": _yaml(actions),
    }
    return _HEADER + _yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data})


def _lua(path: str) -> str:
    return (FOLDER / path).read_text(encoding="utf-8")


def _yaml(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1_000)


if __name__ == "__main__":
    sys.stdout.write(packed())
