"""The features of both parts of a split, side by side, as one HTML page."""

from collections.abc import Sequence
from pathlib import Path

from headgate_components import html, models, plots, tables
from headgate_components.data_processing.build_features.logic import BuiltFeatures, Parts
from headgate_components.data_processing.build_features.shift import FeatureShift, shifts

FEATURES_DRAWN = 20
_HEADER = ("feature", "stability index", "distance", "missing in training", "missing in evaluation")


def write_report(parts: Parts, built: BuiltFeatures, path: Path) -> list[FeatureShift]:
    """Compares the built rows of both parts and writes the page.

    Raises:
        StepError: the rows cannot be read, or there are none.
    """
    names = built.features.names
    train, evaluation = (
        models.encode(built.features, tables.arrays(tables.read(part, names), names)) for part in (parts.train, parts.evaluation)
    )
    found = shifts(built.features, train, evaluation)
    rows = [
        (shift.name, shift.stability_index, shift.distance, f"{shift.missing_in_training:.1%}", f"{shift.missing_in_evaluation:.1%}")
        for shift in found
    ]
    counted = f"{built.train_rows:,} training rows, {built.evaluation_rows:,} evaluation rows, {built.dropped:,} rows dropped."
    explained = (
        "Distance: 0 if both parts are alike, 1 if no value of one occurs in the other. Stability index: up to 0.1 is little, from 0.25 on "
        "is much. Parts of different seasons differ; a feature that differs far more than the others may be broken in one of them."
    )
    html.write(path, "Features", [html.note(counted), _figure(found), html.note(explained), html.table("Features", _HEADER, rows)])
    return found


def _figure(found: Sequence[FeatureShift]) -> str:
    drawn = sorted(found, key=lambda shift: -(shift.distance or 0.0))[:FEATURES_DRAWN]
    return plots.bars(
        "From training to evaluation",
        f"{drawn[0].name} moved most, by {drawn[0].distance or 0.0:.3f}; the table has all features.",
        [shift.name for shift in drawn],
        [plots.Bars("distance", [shift.distance or 0.0 for shift in drawn])],
        x="distance, 0 to 1",
    )
