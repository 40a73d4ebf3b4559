"""Read an exported model back, whole and unchanged, and predict with it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_serving.model import layout
from headgate_serving.model.booster import contributions, predict_matrix, raw_predictions, read_booster
from headgate_serving.model.encoding import Columns
from headgate_serving.model.errors import FeatureError, ModelError
from headgate_serving.model.export import check_booster
from headgate_serving.model.features import FeatureSet
from headgate_serving.model.golden import OUTPUT


@dataclass(frozen=True)
class ExportedModel:
    """A model with the features it reads, as exported by training."""

    folder: Path
    features: FeatureSet
    booster: xgb.Booster = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)
    golden: dict[str, Any] | None = field(default=None, repr=False)
    output: str = OUTPUT
    """What its answer is called; a probability a row, unless it is another name's."""

    @classmethod
    def load(cls, folder: Path) -> "ExportedModel":
        """The model in a folder, after its files' SHA-256 were checked.

        Raises:
            ModelError: the folder is incomplete or changed since its export.
        """
        try:
            metadata = _read_json(folder / layout.METADATA)
            contents = _verified_contents(folder, metadata)
        except OSError as error:
            raise ModelError(f"the model folder {folder} lacks a readable {Path(error.filename).name}: {error.strerror}") from error
        try:
            features = FeatureSet.from_json(json.loads(contents[layout.FEATURES]))
        except FeatureError as error:
            raise ModelError(f"{folder / layout.FEATURES}: {error}") from error
        booster = read_booster(contents[layout.MODEL])
        check_booster(booster, features)
        golden = json.loads(contents[layout.GOLDEN]) if layout.GOLDEN in contents else None
        return cls(folder, features, booster, metadata, golden)

    @property
    def version(self) -> str:
        """The registry's version, or what tells the model from others."""
        return str(self.metadata.get("version", ""))

    @property
    def is_single_file(self) -> bool:
        """Whether it came without a feature artifact."""
        return self.output != OUTPUT

    def predict(self, columns: Columns) -> NDArray[np.float64]:
        """One probability a row, shape (rows,).

        Raises:
            FeatureError: the columns cannot be encoded.
        """
        return self.answer(self.features.encode(columns))

    def answer(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """One probability a row, shape (rows,); a model that came as a single file may answer (rows, classes).

        Raises:
            ModelError: an export answers with anything but one probability a row.
        """
        return raw_predictions(self.booster, matrix) if self.is_single_file else predict_matrix(self.booster, matrix)

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """What each feature adds to the margin, see `booster.contributions`."""
        return contributions(self.booster, matrix)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        raise ModelError(f"{path} does not list the exported files")
    return content


def _verified_contents(folder: Path, metadata: dict[str, Any]) -> dict[str, bytes]:
    hashes: dict[str, str] = metadata["files"]
    for path in (layout.MODEL, layout.FEATURES):
        if path not in hashes:
            raise ModelError(f"{folder / layout.METADATA} does not list {path}; export the model again")
    return {path: _verified(folder, path, expected) for path, expected in hashes.items()}


def _verified(folder: Path, path: str, expected: str) -> bytes:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ModelError(f"{folder / layout.METADATA} lists a file outside its folder: {path}")
    content = (folder / path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(
            f"{folder / path} was changed after the export: SHA-256 {found[:12]}…, expected {str(expected)[:12]}…; export the model again"
        )
    return content
