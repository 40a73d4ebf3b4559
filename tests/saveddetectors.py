"""Folders as alibi-detect's `save_detector` leaves them; that itself wants transformers."""

from pathlib import Path
from typing import Any

import numpy as np
import toml  # type: ignore[import-untyped]

from headgate_monitor.detectors.alibi import TabularDrift


def rows(count: int = 2000) -> Any:
    """A number and a category a row."""
    random = np.random.default_rng(0)
    return np.column_stack([random.normal(size=count), random.integers(3, 6, count)]).astype(np.float32)


def save(folder: Path, detector: Any = None, **changes: Any) -> Path:
    """What alibi-detect's `_save_detector_config` and `write_config` leave of a detector without code of its own."""
    config = (detector or TabularDrift(rows(), categories_per_feature={1: None})).get_config()
    folder.mkdir()
    np.save(folder / "x_ref.npy", config["x_ref"])
    settings = {**config, "x_ref": "x_ref.npy", **changes}
    with (folder / "config.toml").open("w") as file:
        toml.dump(_without_none(settings), file, encoder=toml.TomlNumpyEncoder())
    return folder


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_none(one) for key, one in value.items()}
    return "None" if value is None else value
