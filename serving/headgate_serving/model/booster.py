"""The XGBoost side of an exported model: its bytes, its digest, its predictions."""

import hashlib

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_serving.model.errors import ModelError

MOST_CHARACTERS = 200
"""Of what XGBoost says: of JSON that is no model it repeats all."""


def model_bytes(booster: xgb.Booster) -> bytes:
    """The content of `model.ubj`."""
    return bytes(booster.save_raw("ubj"))


def digest(content: bytes) -> str:
    """`sha256:<64 hex digits>` of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_booster(content: bytes) -> xgb.Booster:
    """The model in these bytes, on one thread.

    Raises:
        ModelError: XGBoost cannot read it, or must not try: of a file that was cut off it may never come back, or end the process.
    """
    if not content.rstrip().endswith(b"}"):
        why = f"its {len(content):,} bytes are no whole .ubj or .json file; if it was cut off, write it again"
        raise ModelError(f"XGBoost {xgb.__version__} cannot read the model: {why}")
    try:
        booster = xgb.Booster(model_file=bytearray(content))
    except (xgb.core.XGBoostError, ValueError) as error:
        raise ModelError(f"XGBoost {xgb.__version__} cannot read the model: {_first_line(error)}") from error
    # More threads cost far more than they gain on a row or two, above all in a container with a CPU limit.
    booster.set_param({"nthread": 1})
    return booster


def raw_predictions(booster: xgb.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Whatever the model answers: shape (rows,), or (rows, classes)."""
    return np.asarray(booster.inplace_predict(matrix, validate_features=False), dtype=np.float64)


def contributions(booster: xgb.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each feature adds to a row's margin (log-odds), the bias last: SHAP values of the trees.

    Shape (rows, features + 1), or (rows, classes, features + 1). Costs some 10 predictions a row.
    """
    rows = xgb.DMatrix(matrix, nthread=1)
    return np.asarray(booster.predict(rows, pred_contribs=True, validate_features=False), dtype=np.float64)


def predict_matrix(booster: xgb.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """One probability a row, shape (rows,).

    Raises:
        ModelError: the model answers with another shape (its objective is not a binary one).
    """
    predictions = raw_predictions(booster, matrix)
    if predictions.shape != (len(matrix),):
        raise ModelError(f"the model answers with shape {predictions.shape} for {len(matrix)} rows; one probability a row is needed")
    return predictions


def _first_line(error: Exception) -> str:
    line = str(error).splitlines()[0]
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"
