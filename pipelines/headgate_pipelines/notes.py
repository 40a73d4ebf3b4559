"""Notes that a local run takes of its steps, for the summary at its end: on one machine there is no API to ask."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headgate_components.deployment.summarize_run.logic import Step
from headgate_pipelines.transcript import StepRun

NOTES_FILE = "steps.jsonl"
HTML = "system.HTML"


@dataclass(frozen=True)
class Notes:
    """Where notes are taken, and what is needed to find the reports of a step."""

    file: Path
    artifacts: Path
    """The folder of this run; each step has a folder of its own below the one that kfp makes in it."""

    cache: Path
    pages: dict[str, list[str]]
    """The HTML outputs of each step."""

    def take(self, run: StepRun) -> None:
        """Notes a step that ended."""
        state = "FAILED" if run.failed else "CACHED" if run.cached else "SUCCEEDED"
        reports = tuple(str(path) for path in (self._cached(run.key) if run.cached else self._made(run.name)))
        step = Step(run.name, state, round(run.seconds, 1), run.sentence, reports)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(step)) + "\n")

    def _made(self, name: str) -> Iterator[Path]:
        for output in self.pages.get(name, ()):
            yield from self.artifacts.glob(f"*/{name}/{output}")

    def _cached(self, key: str) -> Iterator[Path]:
        """Kfp says of a cached step only its key, so the entry is read."""
        for entry in self.cache.glob(f"{key}*.json"):
            for value in json.loads(entry.read_text(encoding="utf-8")).values():
                if isinstance(value, dict) and value.get("schema_title") == HTML:
                    yield Path(value["uri"])


def html_outputs(spec: Any) -> dict[str, list[str]]:
    """The HTML outputs of each step of a compiled pipeline."""
    return {
        name.removeprefix("comp-"): [key for key, output in component.output_definitions.artifacts.items() if _is_html(output)]
        for name, component in spec.components.items()
        if component.executor_label
    }


def _is_html(output: Any) -> bool:
    return bool(output.artifact_type.schema_title == HTML)
