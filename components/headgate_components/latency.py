"""How long a model takes for one row."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from headgate_components.models import predict
from headgate_components.tables import Arrays
from headgate_serving.model import FeatureSet

LATENCY_ROWS = 200


@dataclass(frozen=True)
class Latency:
    """Milliseconds to encode and predict one row, on one thread, without a server."""

    median: float
    p99: float
    """Of a tree model this is the machine's doing more than the model's; limits look at the median."""


def latencies(timed: Sequence[tuple[FeatureSet, xgb.Booster]], columns: Arrays) -> list[Latency]:
    """Times single rows, spread over the table; models take turns, so that a busy moment of the machine slows all of them."""
    count = len(next(iter(columns.values())))
    milliseconds = np.empty((len(timed), LATENCY_ROWS))
    for place, row in enumerate(np.linspace(0, count - 1, LATENCY_ROWS, dtype=np.int64)):
        for number, (features, booster) in enumerate(timed):
            single = {name: [columns[name][row]] for name in features.names}
            start = time.perf_counter()
            predict(booster, features.encode(single))
            milliseconds[number, place] = (time.perf_counter() - start) * 1000
    return [Latency(median=float(np.median(times)), p99=float(np.quantile(times, 0.99))) for times in milliseconds]
