"""Trains XGBoost on encoded rows and saves a model that every XGBoost since 2.1 reads alike."""

from dataclasses import dataclass
from pathlib import Path

from headgate_components.finite import all_finite
from headgate_components.training import balance, boosting
from headgate_components.training.balance import Calibration
from headgate_components.training.settings import Settings
from headgate_components.training.stopping import number_of_trees
from headgate_serving.model import model_bytes


@dataclass(frozen=True)
class Trained:
    """What training found."""

    trees: int
    rows: int
    positive_weight: float
    """How much a row with label 1 weighed."""

    newest: Calibration | None
    """The newest rows before the model learnt from them; None without early stopping."""

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics, all finite."""
        found = {"trees": float(self.trees), "rows": float(self.rows), "positiveWeight": self.positive_weight}
        if self.newest is not None:
            found |= {
                "validationLogLoss": self.newest.log_loss,
                "validationLogLossAsWeighted": self.newest.log_loss_as_weighted,
                "validationBaseRate": self.newest.observed,
                "validationMean": self.newest.predicted,
                "validationMeanAsWeighted": self.newest.predicted_as_weighted,
            }
        return all_finite(found)


def train(source: Path, features_path: Path, target: Path, *, label: str, settings: Settings) -> Trained:
    """Trains on the rows, which are in time order, and writes the booster.

    The evaluation period is never looked at. Early stopping finds the number of trees on the newest training rows; the model is then
    trained on all of them with that number, since the newest rows are the ones most like tomorrow.

    Raises:
        StepError: rows that nothing can be learnt from, or settings XGBoost does not take.
    """
    rows = boosting.read_rows(source, features_path, label)
    weight = balance.positive_weight(settings.class_weight, rows.labels)
    trees, newest = number_of_trees(rows, settings, weight)
    booster = boosting.fit(rows.matrix, rows.labels, settings, trees=trees, weight=weight)
    target.write_bytes(model_bytes(booster))
    return Trained(trees=trees, rows=len(rows.labels), positive_weight=weight, newest=newest)
