"""Features and boosters between steps, in the formats and with the code that serving uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components.files import read_object
from headgate_components.step import StepError
from headgate_components.tables import Arrays
from headgate_serving.model import FeatureError, FeatureKind, FeatureSet, ModelError
from headgate_serving.model.booster import predict_matrix, read_booster


@contextmanager
def model_errors() -> Iterator[None]:
    """Turns what the shared model code refuses into the step's own failure."""
    try:
        yield
    except (FeatureError, ModelError) as error:
        raise StepError(str(error)) from error


def kinds(categories: list[str], numbers: list[str]) -> dict[str, FeatureKind]:
    """The kind of each feature, categories first: their order is that of the model's matrix.

    Raises:
        StepError: a feature is named twice.
    """
    names = [*categories, *numbers]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise StepError(f"the features {', '.join(repeated)} are named more than once")
    return dict.fromkeys(categories, FeatureKind.CATEGORY) | dict.fromkeys(numbers, FeatureKind.NUMBER)


def read_features(path: Path) -> FeatureSet:
    """The feature artifact that `build_features` wrote."""
    with model_errors():
        return FeatureSet.from_json(read_object(path, "feature artifact"))


def read_model(path: Path) -> xgb.Booster:
    """The booster that `train_xgboost` wrote."""
    with model_errors():
        return read_booster(path.read_bytes())


def encode(features: FeatureSet, columns: Arrays) -> NDArray[np.float32]:
    """The model's matrix, shape (rows, features)."""
    with model_errors():
        return features.encode(columns)  # type: ignore[arg-type]  # arrays are sequences in all that matters here


def predict(booster: xgb.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """One probability a row, shape (rows,)."""
    with model_errors():
        return predict_matrix(booster, matrix)
