"""Features: fitted on training rows alone, and rows that serving would refuse are dropped."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from headgate_components.data_processing.build_features.logic import BuiltFeatures, Parts, build_features
from headgate_components.step import StepError


@pytest.fixture
def run(tmp_path: Path, write_table: Any) -> Any:
    """`run(train, evaluation, …)` writes `features`, `train_rows` and `evaluation_rows` into the test's folder."""

    def build(train: Any, evaluation: Any, **options: Any) -> BuiltFeatures:
        chosen = {"categories": ["city"], "numbers": ["load", "wind"], "unknown": "other", "max_categories": 0, **options}
        source = Parts(write_table(train, "train"), write_table(evaluation, "evaluation"))
        return build_features(source, Parts(tmp_path / "train_rows", tmp_path / "evaluation_rows"), tmp_path / "features", **chosen)

    return build


def test_categories_are_learnt_from_training_rows_most_frequent_first(run: Any, make_table: Any, tmp_path: Path) -> None:
    table = make_table(400)
    run(table, make_table(50, start="2025-01-01", id_offset=900))
    artifact = json.loads((tmp_path / "features").read_text())
    assert [feature["name"] for feature in artifact["features"]] == ["city", "load", "wind"]
    counts = Counter(city for city in table["city"].to_pylist() if city)
    assert artifact["features"][0]["categories"] == sorted(counts, key=lambda city: (-counts[city], city))


def test_with_other_all_rows_are_kept(run: Any, make_table: Any) -> None:
    built = run(make_table(400), make_table(50), max_categories=2)
    assert (built.train_rows, built.evaluation_rows, built.dropped) == (400, 50, 0)


def test_with_error_rows_of_categories_that_were_not_kept_are_dropped_from_both_parts(
    run: Any, make_table: Any, columns_of: Any, tmp_path: Path
) -> None:
    built = run(make_table(400), make_table(100, seed=2), max_categories=2, unknown="error")
    kept = set(json.loads((tmp_path / "features").read_text())["features"][0]["categories"])
    assert len(kept) == 2
    for name in ("train_rows", "evaluation_rows"):
        assert set(columns_of(tmp_path / name)["city"]) == {*kept, None}
    assert built.dropped == 500 - built.train_rows - built.evaluation_rows > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"unknown": "guess"}, "unknown is 'guess'; allowed are other, error"),
        ({"max_categories": -1}, "max_categories must be 0"),
        ({"numbers": ["load", "load"]}, "the features load are named more than once"),
        ({"numbers": ["snow"]}, "has no column 'snow'"),
        ({"categories": ["load"]}, "named more than once|must hold strings"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(run: Any, make_table: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        run(make_table(100), make_table(50), **options)
