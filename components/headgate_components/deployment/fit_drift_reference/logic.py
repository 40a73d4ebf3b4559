"""Fits the drift reference of a model on the rows it was trained on, in their order of time."""

from pathlib import Path

from headgate_components import models, tables
from headgate_components.step import StepError
from headgate_monitor.detectors import DriftError, Reference, fit_reference


def fit(rows: Path, features_path: Path, folder: Path, *, time: str, window_rows: int, excluded: list[str], seed: int) -> Reference:
    """Fits the reference and writes it into the folder.

    Args:
        rows: the training rows.
        features_path: the feature artifact; its features are watched.
        folder: where the artifact goes.
        time: the column with the moment of each row; floors are calibrated in its order.
        window_rows: the length of the windows that will be compared with the reference.
        excluded: features that never alarm, such as seasonal ones.
        seed: of the sample that is kept.

    Raises:
        StepError: a file or a column cannot be used.
    """
    features = models.read_features(features_path)
    table = tables.read(rows)
    kinds = {feature.name: feature.kind.value for feature in features.features}
    columns = tables.arrays(table, kinds)
    timestamps = tables.arrays(table, [time])[time]
    try:
        reference = fit_reference(columns, timestamps, kinds, window_rows=window_rows, excluded=excluded, seed=seed)  # type: ignore[arg-type]
        reference.write(folder)
    except DriftError as error:
        raise StepError(str(error)) from error
    return reference
