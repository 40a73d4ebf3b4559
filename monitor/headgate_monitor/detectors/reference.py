"""A drift reference: what a model's inputs looked like when it was trained, and what it predicted when it was evaluated."""

import importlib.metadata
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

from headgate_monitor.detectors.alibi import LICENCE, VERSION
from headgate_monitor.detectors.artifact import SCHEMA, read_artifact, write_artifact
from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values, stacked
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import FLOOR_FACTOR, MINIMUM_FLOOR, FeatureReference

_LIBRARIES = ("alibi-detect", "numpy", "scipy")


@dataclass(frozen=True)
class Reference:
    """The features and at most some thousand encoded rows, shape (rows, features), oldest first.

    `fitted_rows` is how many rows the floors were learned from, `window_rows` and `window_seconds` the length of the windows.
    """

    features: tuple[FeatureReference, ...]
    matrix: Values = field(repr=False)
    window_rows: int
    fitted_rows: int
    model_version: str = ""
    expected_shift: float = 0.0
    """How far the model's predictions were from its predecessor's on the same rows when it was evaluated (KS distance)."""
    window_seconds: float | None = None
    detector: Detector = Detector.TABULAR
    joint_floor: float = MINIMUM_FLOOR
    """Of the classifier's distance, where that is the detector."""
    predictions: "Reference | None" = None
    """The model's own predictions for rows it did not learn from, as a reference with one feature; None: they were not fitted."""

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
        return stacked([feature.encode(columns) for feature in self.features])

    def write(self, folder: Path) -> None:
        """Write the artifact; the same reference gives the same bytes.

        Raises:
            DriftError: the folder cannot be written.
        """
        write_artifact(folder, self._schema(), self.matrix, self.predictions.matrix if self.predictions else None)

    def _schema(self) -> dict[str, Any]:
        return {
            "modelVersion": self.model_version,
            "expectedPredictionShift": self.expected_shift,
            "windowRows": self.window_rows,
            "windowSeconds": self.window_seconds,
            "fittedRows": self.fitted_rows,
            "detector": self.detector.value,
            "jointFloor": self.joint_floor,
            "features": [asdict(feature) for feature in self.features],
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
            "detectorLicence": f"alibi-detect {VERSION} is licensed under {LICENCE}",
            **({"predictions": self.predictions._described()} if self.predictions else {}),
        }

    def _described(self) -> dict[str, Any]:
        """Return what the schema says of this reference where it is one of predictions."""
        (feature,) = self.features
        return {"storedRows": len(self.matrix), "fittedRows": self.fitted_rows, "feature": asdict(feature)}


def read_reference(folder: Path) -> Reference:
    """The reference in a folder.

    Raises:
        DriftError: it must not be used; see `read_artifact`.
    """
    try:
        schema, matrix, predictions = read_artifact(folder)
        reference = Reference(
            features=tuple(_feature(feature) for feature in schema["features"]),
            matrix=matrix,
            window_rows=schema["windowRows"],
            fitted_rows=schema["fittedRows"],
            model_version=schema["modelVersion"],
            expected_shift=_share(schema["expectedPredictionShift"]),
            window_seconds=schema["windowSeconds"],
            detector=Detector(schema["detector"]),
            joint_floor=_share(schema["jointFloor"]),
        )
        return reference if predictions is None else replace(reference, predictions=_of_predictions(schema, predictions))
    except DriftError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise DriftError(f"{folder / SCHEMA} lacks or misuses {error}; fit the reference again") from error


def _of_predictions(schema: dict[str, Any], matrix: Values) -> Reference:
    described = schema["predictions"]
    return Reference(
        features=(_feature(described["feature"]),),
        matrix=matrix,
        window_rows=schema["windowRows"],
        fitted_rows=described["fittedRows"],
        window_seconds=schema["windowSeconds"],
    )


def _feature(content: dict[str, Any]) -> FeatureReference:
    lists = {name: tuple(content[name]) for name in ("categories", "edges")}
    feature = FeatureReference(**{**content, **lists, "kind": ColumnKind(content["kind"])})
    for rate in (feature.missing_rate, feature.unseen_rate):
        _share(rate)
    for floor in (feature.floor, feature.missing_floor, feature.pair_floor, feature.pair_missing_floor):
        if not isfinite(floor) or floor < MINIMUM_FLOOR:
            raise ValueError(f"a floor of {floor}")
    return feature


def _share(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= FLOOR_FACTOR:
        raise ValueError(f"a share or distance of {value}")
    return number
