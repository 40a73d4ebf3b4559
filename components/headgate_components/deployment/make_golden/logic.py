"""Chooses a few telling rows and records the model's answers to them."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headgate_components import models, tables
from headgate_components.step import StepError
from headgate_components.tables import Arrays
from headgate_components.versions import library_versions
from headgate_serving.model import digest, make_golden

MOST_ROWS = 100


def golden(rows: Path, features_path: Path, model_path: Path, target: Path, *, count: int) -> int:
    """Writes the golden set and returns its number of rows.

    Raises:
        StepError: a file cannot be read, there are no rows, or the count is out of range.
    """
    if not 1 <= count <= MOST_ROWS:
        raise StepError(f"a golden set of {count} rows is not possible; allowed are 1 to {MOST_ROWS}")
    features = models.read_features(features_path)
    table = tables.read(rows)
    if table.num_rows == 0:
        raise StepError("there are no rows to choose a golden set from")
    columns = tables.arrays(table, features.names)
    chosen = telling_rows(columns, count)
    sample = {name: values[chosen] for name, values in columns.items()}
    with models.model_errors():
        content = make_golden(
            models.read_model(model_path),
            features,
            sample,  # type: ignore[arg-type]  # arrays are sequences in all that matters here
            versions=library_versions(),
            model_digest=digest(model_path.read_bytes()),
        )
    target.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")
    return len(chosen)


def telling_rows(columns: Arrays, count: int) -> NDArray[np.int64]:
    """Positions of at most `count` rows, rising: for each feature that is ever missing a row without it, the others evenly spread."""
    total = len(next(iter(columns.values())))
    missing = [np.flatnonzero(_is_missing(values)) for values in columns.values()]
    # The rarest first: a row without one weather record often lacks the others, too.
    with_gaps = list(dict.fromkeys(int(positions[0]) for positions in sorted(missing, key=len) if len(positions)))[: count // 2]
    # Gap rows may be among the evenly spread ones: a finer spread, and at last any row, fills up.
    spreads = (np.linspace(0, total - 1, rows, dtype=np.int64) for rows in (count - len(with_gaps), 2 * count, min(total, MOST_ROWS)))
    candidates = dict.fromkeys([*with_gaps, *(int(position) for spread in spreads for position in spread)])
    return np.array(sorted(list(candidates)[:count]), dtype=np.int64)


def _is_missing(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    if values.dtype == object:
        return np.array([value is None for value in values], dtype=np.bool_)
    return np.isnan(values.astype(np.float64))
