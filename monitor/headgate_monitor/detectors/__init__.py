"""References and detectors: fitted beside the model, used by whoever watches it. Tabular data only."""

from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import FeatureReference
from headgate_monitor.detectors.fitting import fit_reference, with_predictions
from headgate_monitor.detectors.reference import Reference, read_reference
from headgate_monitor.detectors.score import FeatureScore, Scorer, WindowScore

__all__ = [
    "ColumnKind",
    "Detector",
    "DriftError",
    "FeatureReference",
    "FeatureScore",
    "Reference",
    "Scorer",
    "WindowScore",
    "fit_reference",
    "read_reference",
    "with_predictions",
]
