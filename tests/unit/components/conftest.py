"""A small classification problem as files between steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate_components.data_processing.build_features.logic import Parts, build_features
from headgate_components.training.settings import Settings
from headgate_components.training.train_xgboost.logic import train

CATEGORIES, NUMBERS = ["city"], ["load", "wind"]
CITIES = ("Oslo", "Rome", "Bern", "Riga", "Cork")


@dataclass(frozen=True)
class Trained:
    """The files of a small trained model."""

    train_rows: Path
    evaluation_rows: Path
    features: Path
    model: Path


def build_table(rows: int = 600, *, seed: int = 0, start: str = "2024-01-01", id_offset: int = 0) -> pa.Table:
    """Rows an hour apart; `late` is likelier with load and in Rome; wind is often and city sometimes missing."""
    random = np.random.default_rng(seed)
    city = random.choice(CITIES, rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    load, wind = random.normal(size=rows), random.exponential(size=rows)
    late = (random.random(rows) < 1 / (1 + np.exp(-(2 * load + 1.5 * (city == "Rome") - 1)))).astype(float)
    first = datetime.fromisoformat(start)
    return pa.table(
        {
            "id": [f"r{id_offset + row}" for row in range(rows)],
            "at": pa.array([first + timedelta(hours=row) for row in range(rows)], pa.timestamp("ms")),
            "city": pa.array([None if row % 50 == 3 else str(name) for row, name in enumerate(city)]),
            "load": load,
            "wind": pa.array([None if row % 3 == 0 else value for row, value in enumerate(wind)], pa.float64()),
            "late": pa.array(late, pa.float64()),
        }
    )


@pytest.fixture
def make_table() -> Callable[..., pa.Table]:
    """`make_table(rows=600, *, seed=0, start="2024-01-01", id_offset=0)`."""
    return build_table


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    """`write_table(table, name="table")`: the Parquet file of a table."""

    def write(table: pa.Table, name: str = "table") -> Path:
        path = tmp_path / name
        pq.write_table(table, path)
        return path

    return write


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model trained on 1,500 rows, with 600 later ones to evaluate it on; do not change its files."""
    folder = tmp_path_factory.mktemp("trained")
    pq.write_table(build_table(1500), folder / "train")
    pq.write_table(build_table(600, seed=1, start="2024-04-01", id_offset=1500), folder / "evaluation")
    files = Trained(folder / "train_rows", folder / "evaluation_rows", folder / "features", folder / "model")
    build_features(
        Parts(folder / "train", folder / "evaluation"),
        Parts(files.train_rows, files.evaluation_rows),
        files.features,
        categories=CATEGORIES,
        numbers=NUMBERS,
        unknown="other",
        max_categories=0,
    )
    train(files.train_rows, files.features, files.model, label="late", settings=Settings(trees=40, max_depth=3, learning_rate=0.2))
    return files


@pytest.fixture(scope="session")
def tracking_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry; making its tables takes seconds, so the tests share it and use a model name each."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/deep/mlflow.db"


@pytest.fixture
def columns_of() -> Callable[[Path], dict[str, list[Any]]]:
    """The columns of a Parquet file as lists."""
    return lambda path: pq.read_table(path).to_pydict()
