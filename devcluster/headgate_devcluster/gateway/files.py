"""Envoy's configuration files: complete at any instant, numbered, replaced by rename, which is what Envoy watches for."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate_devcluster.errors import writing_to


@dataclass
class ResourceFiles:
    """The files in one folder and what was last written to each."""

    folder: Path
    _written: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _version: int = 0

    def write(self, name: str, resources: list[dict[str, Any]]) -> str | None:
        """Write the resources unless the file already says the same; returns the new version, None if nothing changed."""
        if self._written.get(name) == resources:
            return None
        self._version += 1
        response = {"version_info": str(self._version), "resources": resources}
        replace(self.folder / name, json.dumps(response, indent=1))
        self._written[name] = resources
        return str(self._version)

    def forget(self, name: str) -> None:
        """Make the next `write` of this file write, whatever it says now."""
        self._written.pop(name, None)

    def remove(self, name: str) -> None:
        """Remove a file that nothing refers to any more."""
        (self.folder / name).unlink(missing_ok=True)
        self.forget(name)


def replace(path: Path, text: str) -> None:
    """Put a file in place so that a reader sees either all of the old or all of the new one."""
    draft = path.with_name(f".{path.name}.new")
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text)
        draft.replace(path)
