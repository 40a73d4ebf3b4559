"""Where a model comes from: data, features, code, run; told in the registry and in the export, so that `headgate lineage` can print it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_serving.model import digest


@dataclass(frozen=True)
class Lineage:
    """What a model was made from."""

    dataset: str
    snapshot: str
    train_start: str
    train_end: str
    git_commit: str
    settings: Mapping[str, Any]
    rows: int = 0
    """Training rows; 0 if nobody counted them."""

    pipeline_run: str = ""
    """The id of the pipeline's run, if there is one."""

    def tags(self, digests: Mapping[str, str]) -> dict[str, str]:
        """The tags of the run and of the version; what is not known has none."""
        return {**self.content_tags(digests), **_tags({"gitCommit": self.git_commit, "pipelineRun": self.pipeline_run})}

    def content_tags(self, digests: Mapping[str, str]) -> dict[str, str]:
        """Those of them that tell one model from another: a second run, or another commit, may bring the very same one."""
        return _tags(
            {
                "dataset": self.dataset,
                "snapshot": self.snapshot,
                "rows": str(self.rows or ""),
                "trainStart": self.train_start,
                "trainEnd": self.train_end,
                **digests,
            }
        )

    def to_json(self, digests: Mapping[str, str], run_id: str) -> dict[str, Any]:
        """The same for files: the export's metadata and the registration."""
        return {
            "trainingPeriod": {"start": self.train_start, "end": self.train_end},
            "dataset": {"name": self.dataset, "snapshot": self.snapshot, "rows": self.rows},
            "settings": dict(self.settings),
            "lineage": {"runId": run_id, "pipelineRun": self.pipeline_run, "gitCommit": self.git_commit, **digests},
        }


def _tags(known: Mapping[str, str]) -> dict[str, str]:
    return {f"headgate.{name}": value for name, value in known.items() if value}


def artifact_digests(model: Path, features: Path, reference: Path) -> dict[str, str]:
    """The digests of what serving and monitor will read; that of the reference is over its files and their names."""
    files = "".join(f"{path.name} {digest(path.read_bytes())}\n" for path in sorted(reference.iterdir()) if path.is_file())
    return {
        "featuresDigest": digest(features.read_bytes()),
        "referenceDigest": digest(files.encode()),
        "modelDigest": digest(model.read_bytes()),
    }
