"""Features: fitted on training rows alone, and rows that serving would refuse are dropped."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from headgate_components.data_processing.build_features.logic import BuiltFeatures, Parts, build_features
from headgate_components.data_processing.build_features.report import write_report
from headgate_components.data_processing.build_features.shift import FeatureShift
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


def shifted(run: Any, folder: Path, train: Any, evaluation: Any) -> dict[str, FeatureShift]:
    built = run(train, evaluation)
    found = write_report(Parts(folder / "train_rows", folder / "evaluation_rows"), built, folder / "report.html")
    return {shift.name: shift for shift in found}


def test_rows_of_the_same_source_have_hardly_moved(run: Any, make_table: Any, tmp_path: Path) -> None:
    found = shifted(run, tmp_path, make_table(2000), make_table(2000, seed=1))
    assert all((shift.distance or 0) < 0.1 and shift.stability_index < 0.05 for shift in found.values())


def test_the_features_that_moved_come_first_in_the_report(run: Any, make_table: Any, tmp_path: Path) -> None:
    table, later = make_table(1000), make_table(500, seed=1)
    later = later.set_column(later.column_names.index("load"), "load", pc.add(later["load"], 2.0))
    later = later.set_column(later.column_names.index("city"), "city", pc.if_else(pc.equal(later["city"], "Rome"), "Kyiv", later["city"]))
    found = shifted(run, tmp_path, table, later)
    assert list(found) == ["city", "load", "wind"]  # a value that vanished weighs more than one that moved
    assert found["load"].distance == pytest.approx(0.68, abs=0.06)  # of two normal distributions that far apart
    assert found["city"].distance == pytest.approx(0.3, abs=0.06)  # the share of Rome, which became a city nobody knew
    assert found["wind"].missing_in_training == pytest.approx(1 / 3, abs=0.01)
    report = (tmp_path / "report.html").read_text()
    assert "load moved most, by 0." in report
    assert "1,000 training rows, 500 evaluation rows, 0 rows dropped." in report


def test_a_feature_that_is_missing_throughout_a_part_has_no_distance_but_has_moved(run: Any, make_table: Any, tmp_path: Path) -> None:
    later = make_table(500, seed=1)
    nothing = later.set_column(later.column_names.index("load"), "load", pc.if_else(True, None, later["load"]))
    found = shifted(run, tmp_path, make_table(500), nothing)["load"]
    assert (found.distance, found.missing_in_evaluation) == (None, 1)
    assert found.stability_index > 1


def test_a_part_without_rows_is_refused(run: Any, make_table: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="there is no evaluation row; check the periods of the split"):
        shifted(run, tmp_path, make_table(500), make_table(500).slice(0, 0))
