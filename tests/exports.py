"""Small but real exported models, and rows to ask them about; `conftest.py` offers both as fixtures."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xgboost as xgb

from headgate_monitor.detectors import fit_reference
from headgate_serving.model import (
    Columns,
    FeatureKind,
    UnknownPolicy,
    digest,
    fit_features,
    make_golden,
    model_bytes,
    write_export,
)

MODEL_NAME = "flight-delay"
KINDS = {
    "carrier": FeatureKind.CATEGORY,
    "dest": FeatureKind.CATEGORY,
    "distance": FeatureKind.NUMBER,
    "humid": FeatureKind.NUMBER,
    "weekday": FeatureKind.NUMBER,
}
DESTINATIONS = ("ATL", "BOS", "CLT", "DEN", "FLL", "IAH", "LAX", "ORD")


def build_columns(rows: int, *, seed: int = 0) -> Columns:
    """Raw rows as a client would send them: strings, numbers, nulls."""
    random = np.random.default_rng(seed)
    humid = [
        None if missing else float(value) for value, missing in zip(random.uniform(20, 100, rows), random.random(rows) < 0.1, strict=True)
    ]
    return {
        "carrier": random.choice(["AA", "B6", "DL", "UA"], rows, p=[0.1, 0.4, 0.2, 0.3]).tolist(),
        "dest": random.choice(DESTINATIONS, rows, p=[0.2, 0.2, 0.15, 0.15, 0.1, 0.1, 0.06, 0.04]).tolist(),
        "distance": random.integers(100, 2600, rows).astype(float).tolist(),
        "humid": humid,
        "weekday": random.integers(0, 7, rows).tolist(),
    }


def build_export(
    storage: Path,
    version: str,
    *,
    seed: int = 0,
    unknown: str = "other",
    tamper_base_score: bool = False,
    model_name: str = MODEL_NAME,
    late_above: float = 1.1,
    inverted: bool = False,
) -> Path:
    """Train on 500 synthetic rows and export: with `unknown="error"` only 4 of 8 destinations are known, 30 % of rows then fail.

    With a lower `late_above` more rows count as late, so the model predicts larger probabilities; `inverted` learned the opposite.
    """
    columns = build_columns(500, seed=seed)
    policy = UnknownPolicy(unknown)
    known = None if policy is UnknownPolicy.OTHER else 4
    features = fit_features(columns, KINDS, unknown=policy, max_categories=known)
    kept = _rows_with_known_destinations(columns, features.by_name["dest"].categories)
    matrix = features.encode(kept)
    late = (np.nan_to_num(matrix[:, 3], nan=60) / 100 + np.random.default_rng(seed).random(len(matrix))) > late_above
    late ^= inverted
    parameters = {"objective": "binary:logistic", "base_score": 0.5, "max_depth": 3, "nthread": 1, "seed": seed}
    booster = xgb.train(parameters, xgb.DMatrix(matrix, label=late), num_boost_round=10)
    golden = make_golden(
        booster,
        features,
        {name: values[:20] for name, values in kept.items()},
        versions={"xgboost": xgb.__version__},
        model_digest=digest(model_bytes(booster)),
    )
    if tamper_base_score:
        booster = _with_base_score(booster, 0.8)
    with TemporaryDirectory() as drift:
        fit_reference(columns, range(500), KINDS, window_rows=100, model_version=version).write(Path(drift))
        return write_export(
            storage,
            model_name=model_name,
            version=version,
            booster=booster,
            features=features,
            metadata={"seed": seed},
            golden=golden,
            drift_folder=Path(drift),
        )


def _rows_with_known_destinations(columns: Columns, known: tuple[str, ...]) -> Columns:
    rows = [row for row, dest in enumerate(columns["dest"]) if dest in known]
    return {name: [values[row] for row in rows] for name, values in columns.items()}


def _with_base_score(booster: xgb.Booster, base_score: float) -> xgb.Booster:
    model = json.loads(booster.save_raw("json"))
    model["learner"]["learner_model_param"]["base_score"] = f"[{base_score}]"
    return xgb.Booster(model_file=bytearray(json.dumps(model), "ascii"))
