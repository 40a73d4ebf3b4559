"""Rare labels: rows with label 1 may weigh more, and the probabilities stay honest nevertheless.

Weighting rows with label 1 by w makes a model learn from them, and multiplies the odds it predicts by w: it then calls everything
likelier than it is. The odds are divided by w again, in the model itself: every row ends in one leaf of the first tree, so −ln w added to
each leaf of that tree is −ln w added to every prediction. Server, golden set and contributions need to know nothing of it, and `base_score`
stays 0.5.
"""

import json
import math
from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components.step import StepError

HEAVIEST = 10_000.0

Labels = NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """What weighting does to probabilities, on rows that the model did not learn from."""

    observed: float
    """Share of label 1."""

    predicted: float
    """Mean probability, as the model answers."""

    predicted_as_weighted: float
    """Mean probability without the correction; equal to `predicted` where nothing is weighted."""

    log_loss: float
    log_loss_as_weighted: float


def positive_weight(class_weight: str, labels: Labels) -> float:
    """How much a row with label 1 weighs against one with label 0.

    Args:
        class_weight: `none` (1), `balanced` (both labels weigh the same in total), or a number above 0.
        labels: 0 or 1, shape (rows,); both must occur.

    Raises:
        StepError: it is something else.
    """
    positives = float(labels.sum())
    known = {"none": 1.0, "balanced": (len(labels) - positives) / positives}
    if class_weight in known:
        return known[class_weight]
    try:
        weight = float(class_weight)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= HEAVIEST:
        raise StepError(f"class_weight is '{class_weight}'; allowed are none, balanced, or a number above 0, at most {HEAVIEST:,.0f}")
    return weight


def row_weights(labels: Labels, weight: float) -> Labels | None:
    """The weight of each row, shape (rows,); None where all are alike."""
    return None if weight == 1 else np.where(labels == 1, np.float32(weight), np.float32(1))


def corrected(booster: xgb.Booster, weight: float) -> xgb.Booster:
    """The model with its odds divided by the weight."""
    if weight == 1:
        return booster
    content = json.loads(bytes(booster.save_raw("json")))
    tree = content["learner"]["gradient_booster"]["model"]["trees"][0]
    shift = -math.log(weight)
    # XGBoost keeps the value of a leaf where other nodes keep the threshold.
    tree["split_conditions"] = [
        value + shift if left == -1 else value for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True)
    ]
    return xgb.Booster(model_file=bytearray(json.dumps(content).encode()))


def calibration(margins: NDArray[np.float32], labels: Labels, weight: float) -> Calibration:
    """Compares probabilities before and after the correction.

    Args:
        margins: log odds of the model as it was trained, shape (rows,).
        labels: 0 or 1, shape (rows,).
        weight: of label 1 in training.
    """
    weighted = margins.astype(np.float64)
    honest = weighted - math.log(weight)
    return Calibration(
        observed=float(labels.mean()),
        predicted=float(_probability(honest).mean()),
        predicted_as_weighted=float(_probability(weighted).mean()),
        log_loss=_log_loss(honest, labels),
        log_loss_as_weighted=_log_loss(weighted, labels),
    )


def _probability(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-margins))


def _log_loss(margins: NDArray[np.float64], labels: Labels) -> float:
    return float(np.mean(np.logaddexp(0, margins) - labels * margins))
