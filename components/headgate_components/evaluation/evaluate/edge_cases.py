"""Whether rows nobody hopes for get an answer."""

from collections.abc import Mapping

import xgboost as xgb

from headgate_components.models import predict
from headgate_serving.model import FeatureError, FeatureKind, FeatureSet

EXTREME = 1e30
UNSEEN = "\N{REPLACEMENT CHARACTER} never seen"


def edge_cases(booster: xgb.Booster, features: FeatureSet) -> dict[str, str]:
    """What the model answers to such rows: a probability, or the sentence it refuses them with."""
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
