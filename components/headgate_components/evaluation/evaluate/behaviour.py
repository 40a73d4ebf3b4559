"""How a model behaves apart from its quality: how long a row takes, and whether odd rows get an answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from headgate_components.models import predict
from headgate_components.tables import Arrays
from headgate_serving.model import FeatureError, FeatureKind, FeatureSet

LATENCY_ROWS = 200
EXTREME = 1e30
UNSEEN = "\N{REPLACEMENT CHARACTER} never seen"


@dataclass(frozen=True)
class Latency:
    """Milliseconds to encode and predict one row, on one thread, without a server."""

    median: float
    p99: float


def latency(booster: xgb.Booster, features: FeatureSet, columns: Arrays) -> Latency:
    """Times single rows, spread over the table."""
    count = len(next(iter(columns.values())))
    times = []
    for row in np.linspace(0, count - 1, LATENCY_ROWS, dtype=np.int64):
        single = {name: [values[row]] for name, values in columns.items()}
        start = time.perf_counter()
        predict(booster, features.encode(single))
        times.append((time.perf_counter() - start) * 1000)
    return Latency(median=float(np.median(times)), p99=float(np.quantile(times, 0.99)))


def edge_cases(booster: xgb.Booster, features: FeatureSet) -> dict[str, str]:
    """What the model answers to rows nobody hopes for: a probability, or the sentence it refuses them with."""
    rows: Mapping[str, dict[FeatureKind, str | float | None]] = {
        "everything missing": {FeatureKind.NUMBER: None, FeatureKind.CATEGORY: None},
        "very large numbers": {FeatureKind.NUMBER: EXTREME, FeatureKind.CATEGORY: None},
        "very small numbers": {FeatureKind.NUMBER: -EXTREME, FeatureKind.CATEGORY: None},
        "unseen categories": {FeatureKind.NUMBER: 0.0, FeatureKind.CATEGORY: UNSEEN},
    }
    return {name: _answer(booster, features, values) for name, values in rows.items()}


def _answer(booster: xgb.Booster, features: FeatureSet, values: Mapping[FeatureKind, str | float | None]) -> str:
    try:
        matrix = features.encode({feature.name: [values[feature.kind]] for feature in features.features})
    except FeatureError as error:
        return f"refused: {error}"
    return f"{predict(booster, matrix)[0]:.4f}"
