"""A drift reference: what a model's inputs looked like when it was trained, and the folder that keeps it.

Two files: `reference.npz` (numbers, no pickle: loading one runs nothing) and `schema.json` (everything a person may read).
"""

import hashlib
import importlib.metadata
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import FeatureReference

FORMAT = 1
ROWS = "reference.npz"
SCHEMA = "schema.json"
_LIBRARIES = ("alibi-detect", "numpy", "scipy")
_LICENCE = "alibi-detect 0.11.4 is licensed under Apache-2.0"


@dataclass(frozen=True)
class Reference:
    """The features and at most some thousand encoded rows, shape (rows, features), oldest first.

    `fitted_rows` is how many rows the floors were learned from, `window_rows` the length of the windows.
    """

    features: tuple[FeatureReference, ...]
    matrix: Values = field(repr=False)
    window_rows: int
    fitted_rows: int
    model_version: str = ""
    expected_shift: float = 0.0
    """How far the model's predictions were from its predecessor's on the same rows when it was evaluated (KS distance)."""

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.matrix.shape[1] != len(self.features):
            raise DriftError(f"the reference rows have the shape {self.matrix.shape}, {len(self.features)} features are described")

    @property
    def calibrated(self) -> bool:
        """Whether every feature that may alarm has a learned floor."""
        return all(feature.calibrated for feature in self.features if not feature.excluded)

    def encode(self, columns: RawColumns) -> Values:
        """Raw rows as a matrix like the reference's own.

        Raises:
            DriftError: a column is absent, of another length, or holds values of the wrong kind.
        """
        encoded = [feature.encode(columns) for feature in self.features]
        if len({len(column) for column in encoded}) != 1:
            raise DriftError("the columns have different lengths")
        return np.column_stack(encoded)

    def write(self, folder: Path) -> None:
        """Write the artifact; the same reference gives the same bytes.

        Raises:
            DriftError: the folder cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, matrix=self.matrix)
        content = buffer.getvalue()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ROWS).write_bytes(content)
            (folder / SCHEMA).write_text(json.dumps(self._schema(content), indent=1, allow_nan=False))
        except OSError as error:
            raise DriftError(f"cannot write the drift reference to {folder}: {error.strerror}") from error

    def _schema(self, content: bytes) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "modelVersion": self.model_version,
            "expectedPredictionShift": self.expected_shift,
            "windowRows": self.window_rows,
            "fittedRows": self.fitted_rows,
            "storedRows": len(self.matrix),
            "features": [asdict(feature) for feature in self.features],
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
            "detectorLicence": _LICENCE,
            "sha256": {ROWS: hashlib.sha256(content).hexdigest()},
        }


def read_reference(folder: Path) -> Reference:
    """The reference in a folder.

    Raises:
        DriftError: a file is missing, changed since it was written, of another format, or of the wrong shape.
    """
    try:
        schema = json.loads((folder / SCHEMA).read_bytes())
        content = (folder / ROWS).read_bytes()
    except OSError as error:
        raise DriftError(f"the drift reference {folder} lacks a readable {Path(error.filename).name}: {error.strerror}") from error
    except ValueError as error:
        raise DriftError(f"{folder / SCHEMA} is not valid JSON: {error}") from error
    if not isinstance(schema, dict) or schema.get("format") != FORMAT:
        raise DriftError(f"{folder / SCHEMA} is not of format {FORMAT}; fit the reference again with this version of Headgate")
    try:
        return _build(folder, schema, content)
    except (KeyError, TypeError) as error:
        raise DriftError(f"{folder / SCHEMA} lacks or misuses {error}; fit the reference again") from error


def _build(folder: Path, schema: dict[str, Any], content: bytes) -> Reference:
    if hashlib.sha256(content).hexdigest() != schema["sha256"][ROWS]:
        raise DriftError(f"{folder / ROWS} was changed after it was written; fit the reference again")
    matrix = _matrix(folder, content)
    if matrix.shape != (schema["storedRows"], len(schema["features"])):
        wanted = f"({schema['storedRows']}, {len(schema['features'])})"
        raise DriftError(f"{folder / ROWS} has the shape {matrix.shape}, {SCHEMA} describes {wanted}; fit the reference again")
    features = tuple(_feature(feature) for feature in schema["features"])
    return Reference(features, matrix, schema["windowRows"], schema["fittedRows"], schema["modelVersion"], _expected_shift(schema))


def _expected_shift(schema: dict[str, Any]) -> float:
    """References written before it was known have none."""
    return float(schema.get("expectedPredictionShift", 0.0))


def _matrix(folder: Path, content: bytes) -> Values:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return np.asarray(arrays["matrix"], dtype=np.float64)
    except (ValueError, KeyError, OSError) as error:
        raise DriftError(f"{folder / ROWS} is no file of numbers: {error}") from error


def _feature(content: dict[str, Any]) -> FeatureReference:
    lists = {name: tuple(content[name]) for name in ("categories", "edges")}
    return FeatureReference(**{**content, **lists, "kind": ColumnKind(content["kind"])})
