"""Fits the drift reference of a model: its requests on the rows it was trained on, its predictions on those it was evaluated on.

For its training rows a model is too sure of itself: their predictions lie nearer to 0 and 1 than any that it will make, and every window
would differ from them. The evaluation rows are later ones that no training step saw, as live ones will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from headgate_components import models, tables
from headgate_components.scored import score
from headgate_components.seeds import check_seed
from headgate_components.step import StepError
from headgate_monitor.detectors import Detector, DriftError, Reference, fit_reference, with_predictions
from headgate_serving.model import FeatureSet


@dataclass(frozen=True)
class How:
    """How to fit a reference."""

    time: str
    """The column with the moment of each row; floors are calibrated in its order."""

    excluded: Sequence[str] = ()
    """Features that never alarm, such as seasonal ones."""

    window_rows: int = 500
    """The length of the windows that will be compared with the reference."""

    window_hours: float = 0.0
    """Or their duration, whichever is reached first; 0: rows alone."""

    detector: str = Detector.TABULAR
    """Which test decides; one of `Detector`."""

    expected_shift: float = 0.0
    """How far the model's predictions are from its predecessor's on the same rows, 0 to 1."""

    seed: int = 0
    """Of the sample that is kept."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.detector not in list(Detector):
            raise StepError(f"the drift detector '{self.detector}' is unknown; allowed are {', '.join(Detector)}")
        if not 0 <= self.expected_shift <= 1:
            raise StepError(f"the expected shift of the predictions must lie between 0 and 1, found {self.expected_shift}")


def fit(rows: Path, features_path: Path, folder: Path, how: How, *, model: Path | None = None, evaluation: Path | None = None) -> Reference:
    """Fits the reference and writes it into the folder.

    Args:
        rows: the training rows.
        features_path: the feature artifact; its features are watched.
        folder: where the artifact goes.
        how: how to fit.
        model: the booster, whose predictions are to be watched, too.
        evaluation: the rows to predict, with the column of time; none that the model was trained on.

    Raises:
        StepError: a file or a column cannot be used.
    """
    if (model is None) != (evaluation is None):
        raise StepError("the model and the evaluation rows are given together or not at all: its own training rows it predicts too well")
    features = models.read_features(features_path)
    try:
        reference = _of_requests(tables.read(rows), features, how)
        if model is not None and evaluation is not None:
            held_out = tables.read(evaluation)
            predicted = score(held_out, features, models.read_model(model))
            reference = with_predictions(reference, predicted, tables.times(held_out, how.time), seed=how.seed)  # type: ignore[arg-type]
        reference.write(folder)
    except DriftError as error:
        raise StepError(str(error)) from error
    return reference


def _of_requests(table: pa.Table, features: FeatureSet, how: How) -> Reference:
    kinds = {feature.name: feature.kind.value for feature in features.features}
    return fit_reference(
        tables.arrays(table, kinds),  # type: ignore[arg-type]
        tables.times(table, how.time),  # type: ignore[arg-type]
        kinds,
        window_rows=how.window_rows,
        window_seconds=how.window_hours * 3600 or None,
        excluded=how.excluded,
        seed=how.seed,
        expected_shift=how.expected_shift,
        detector=Detector(how.detector),
    )
