"""Golden sets: requests with the answers the model gave where it was trained, asked again before any traffic."""

from collections.abc import Mapping
from typing import Any

import xgboost as xgb

from headgate_serving.model.booster import predict_matrix
from headgate_serving.model.encoding import Columns
from headgate_serving.model.errors import ModelError
from headgate_serving.model.features import FeatureSet
from headgate_serving.model.requests import to_v2_request

FORMAT = 1
OUTPUT = "probability"


def make_golden(
    booster: xgb.Booster, features: FeatureSet, columns: Columns, *, versions: Mapping[str, str], model_digest: str
) -> dict[str, Any]:
    """The content of `headgate/golden.json` for these rows.

    Args:
        booster: The model as trained.
        features: How the rows are encoded.
        columns: Some 20 rows, raw; include missing values.
        versions: Library versions the answers were made with, to explain a difference.
        model_digest: `digest(model_bytes(booster))`.
    """
    request = to_v2_request(columns, features)
    # The answers are made from the request, not from the columns: what JSON cannot carry must not be in them.
    sent = {tensor["name"]: tensor["data"] for tensor in request["inputs"]}
    outputs = predict_matrix(booster, features.encode(sent))
    if not outputs.size:
        raise ModelError("a golden set needs at least one row")
    return {
        "format": FORMAT,
        "request": request,
        "outputs": {OUTPUT: outputs.tolist()},
        "versions": dict(versions),
        "modelDigest": model_digest,
    }
