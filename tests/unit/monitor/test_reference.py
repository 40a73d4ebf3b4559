import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate_monitor.detectors import ColumnKind, Detector, DriftError, Reference, Scorer, artifact, fit_reference, read_reference
from headgate_monitor.detectors.distances import ks_distance
from headgate_monitor.detectors.windows import cut

KINDS = {"carrier": "category", "humid": "number"}


def rows(count: int = 2000, *, seed: int = 0, humid: float = 50.0, missing: float = 0.1, carriers: str = "ABC") -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    values = random.normal(humid, 10, count)
    return {
        "carrier": random.choice(list(carriers), count).tolist(),
        "humid": [None if lost else float(value) for value, lost in zip(values, random.random(count) < missing, strict=True)],
    }


def fit(columns: dict[str, list[Any]] | None = None, **options: Any) -> Reference:
    columns = rows() if columns is None else columns
    return fit_reference(columns, range(len(columns["humid"])), KINDS, **{"window_rows": 200, **options})


def by_name(reference: Reference) -> dict[str, Any]:
    return {feature.name: feature for feature in reference.features}


def test_quiet_features_get_the_smallest_floor() -> None:
    feature = by_name(fit())["humid"]
    assert (feature.floor, feature.severe) == (pytest.approx(0.10, abs=0.03), feature.floor + 0.10)
    assert feature.missing_floor == 0.10
    assert feature.missing_rate == pytest.approx(0.1, abs=0.03)
    assert feature.windows == 10
    assert len(feature.edges) == 19


def test_a_seasonal_feature_gets_a_floor_above_the_distance_of_its_own_windows() -> None:
    columns = rows(missing=0)
    columns["humid"] = [value + 30 * np.sin(position / 400) for position, value in enumerate(columns["humid"])]
    reference = fit(columns)
    humid = np.array(columns["humid"])
    distances = [
        ks_distance(np.sort(np.delete(humid, slice(start, start + 200))), humid[start : start + 200]) for start in range(0, 2000, 200)
    ]
    assert by_name(reference)["humid"].floor == pytest.approx(1.1 * max(distances))
    assert max(distances) > 0.5


def test_windows_are_cut_by_time_not_by_the_order_of_the_rows() -> None:
    columns = rows(missing=0)
    columns["humid"] = [value + position / 20 for position, value in enumerate(columns["humid"])]
    order = np.random.default_rng(1).permutation(2000)
    start = datetime(2013, 1, 1, tzinfo=UTC)
    shuffled = {name: [values[row] for row in order] for name, values in columns.items()}
    times = [start + timedelta(minutes=int(row)) for row in order]
    found = fit_reference(shuffled, times, KINDS, window_rows=200)
    assert found.features == fit(columns).features
    np.testing.assert_array_equal(found.matrix, fit(columns).matrix)
    by_row = fit_reference(shuffled, range(2000), KINDS, window_rows=200)
    assert by_name(by_row)["humid"].floor < by_name(found)["humid"].floor


def test_between_two_windows_the_floor_allows_both_to_have_wandered() -> None:
    columns = rows(missing=0)
    columns["humid"] = [value + 30 * np.sin(position / 400) for position, value in enumerate(columns["humid"])]
    feature = by_name(fit(columns))["humid"]
    assert feature.between_windows().floor == feature.pair_floor == pytest.approx(2 * feature.floor)
    quiet = by_name(fit(rows(10_000), window_rows=2000))["carrier"]
    assert quiet.floor == quiet.pair_floor == 0.10  # neither is below what is worth an alarm


@pytest.mark.parametrize(
    ("rows_most", "seconds", "lengths"),
    [(4, None, [4, 4]), (100, 30, [3, 3, 3]), (2, 30, [2, 2, 2, 2, 2]), (100, 200, [])],
)
def test_windows_end_when_they_are_full_or_over_as_live_ones_do(rows_most: int, seconds: float | None, lengths: list[int]) -> None:
    times = np.arange(10) * 10.0
    assert [window.stop - window.start for window in cut(times, rows=rows_most, seconds=seconds)] == lengths


def test_a_month_without_rows_is_no_window() -> None:
    assert cut(np.array([0.0, 1, 100, 101, 130]), rows=100, seconds=30) == [slice(0, 2), slice(2, 4)]


@pytest.mark.parametrize(("count", "calibrated"), [(999, False), (1000, True)])
def test_fewer_than_five_windows_are_uncalibrated(count: int, calibrated: bool) -> None:
    reference = fit(rows(count))
    assert reference.calibrated is calibrated
    assert [feature.calibrated for feature in Scorer(reference, alpha=0.01).score(rows(200)).features] == [calibrated] * 2


def test_windows_with_fewer_than_100_values_of_a_feature_do_not_calibrate_it() -> None:
    feature = by_name(fit(rows(missing=0.8)))["humid"]
    assert (feature.windows, feature.calibrated, feature.floor) == (0, False, 0.10)


def test_excluded_features_neither_alarm_nor_count_for_calibration() -> None:
    reference = fit(rows(missing=0.8), excluded=["humid"])
    assert reference.calibrated
    assert not Scorer(reference, alpha=0.01).score(rows(500, humid=500, missing=0)).alarm


def test_stored_rows_are_capped_by_a_seeded_sample() -> None:
    one, again, other = (fit(max_rows=300, seed=seed) for seed in (1, 1, 2))
    assert one.matrix.shape == (300, 2)
    assert one.fitted_rows == 2000
    np.testing.assert_array_equal(one.matrix, again.matrix)
    assert not np.array_equal(one.matrix, other.matrix)


def test_rare_categories_share_one_code() -> None:
    reference = fit(rows(carriers="AAAABBBBCD"), max_categories=2)
    assert by_name(reference)["carrier"].categories == ("A", "B")
    encoded = reference.encode({"carrier": ["A", "B", "D", "never seen", None], "humid": [1] * 5})
    assert encoded[:, 0].tolist() == [0, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kinds": {"wind": "number"}}, "the training data has no column 'wind'"),
        ({"kinds": {}}, "a reference needs at least one feature"),
        ({"kinds": {"carrier": "number"}}, "column 'carrier' must hold numbers or null, found '[ABC]'"),
        ({"excluded": ["wind"]}, "'wind' is excluded from alarms but not a feature; the features are carrier, humid"),
        ({"timestamps": range(5)}, "one common length above 0, found 5, 2000"),
        ({"window_rows": 99}, "window_rows must be at least 100, found 99"),
        ({"window_seconds": 0}, "window_seconds must be above 0, found 0"),
    ],
)
def test_training_data_that_gives_no_reference_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DriftError, match=sentence):
        fit_reference(**{"columns": rows(), "timestamps": range(2000), "kinds": KINDS, "window_rows": 200, **change})


def test_a_reference_survives_its_folder_and_scores_the_same(tmp_path: Path) -> None:
    reference = fit(excluded=["humid"], model_version="7", window_seconds=150, detector=Detector.CVM)
    reference.write(tmp_path / "drift")
    found = read_reference(tmp_path / "drift")
    np.testing.assert_array_equal(found.matrix, reference.matrix)
    assert replace(found, matrix=reference.matrix) == reference
    assert Scorer(found, alpha=0.01).score(rows(300, seed=3)) == Scorer(reference, alpha=0.01).score(rows(300, seed=3))


def test_the_same_reference_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        fit().write(tmp_path / name)
    assert (tmp_path / "one/reference.npz").read_bytes() == (tmp_path / "two/reference.npz").read_bytes()
    assert (tmp_path / "one/schema.json").read_bytes() == (tmp_path / "two/schema.json").read_bytes()


def test_the_schema_names_the_detectors_release_and_licence(tmp_path: Path) -> None:
    fit().write(tmp_path)
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert schema["libraries"]["alibi-detect"] == "0.11.4"
    assert "Apache-2.0" in schema["detectorLicence"]
    assert schema["features"][0]["kind"] == ColumnKind.CATEGORY


def seal(folder: Path, schema: dict[str, Any]) -> None:
    """Hash a changed schema as its writer would have: what is then still refused does not hang on the hash."""
    unsealed = {name: value for name, value in schema.items() if name != "sha256"}
    schema["sha256"]["schema.json"] = artifact._digest(unsealed)
    schema["sha256"]["reference.npz"] = hashlib.sha256((folder / "reference.npz").read_bytes()).hexdigest()


def drop_rows(folder: Path, schema: dict[str, Any]) -> None:
    schema["storedRows"] = 7
    seal(folder, schema)


def drop_hash(folder: Path, schema: dict[str, Any]) -> None:
    del schema["sha256"]


def new_format(folder: Path, schema: dict[str, Any]) -> None:
    schema["format"] = 3


def raise_a_floor(folder: Path, schema: dict[str, Any]) -> None:
    schema["features"][1]["floor"] = 0.9


def remove_a_floor(folder: Path, schema: dict[str, Any]) -> None:
    schema["features"][1]["floor"] = float("nan")
    seal(folder, schema)


def flip_bit(folder: Path, schema: dict[str, Any]) -> None:
    content = bytearray((folder / "reference.npz").read_bytes())
    content[100] ^= 1
    (folder / "reference.npz").write_bytes(content)


def extra_member(folder: Path, schema: dict[str, Any]) -> None:
    schema["features"][0]["colour"] = "red"
    seal(folder, schema)


def other_library(folder: Path, schema: dict[str, Any]) -> None:
    schema["libraries"]["alibi-detect"] = "0.12.0"
    seal(folder, schema)


def pickled_rows(folder: Path, schema: dict[str, Any]) -> None:
    np.savez(folder / "reference.npz", allow_pickle=True, matrix=np.array([[print, 1]], dtype=object))
    seal(folder, schema)


def infinite_rows(folder: Path, schema: dict[str, Any]) -> None:
    np.savez(folder / "reference.npz", matrix=np.full((2000, 2), np.inf))
    seal(folder, schema)


def another_array(folder: Path, schema: dict[str, Any]) -> None:
    np.savez(folder / "reference.npz", matrix=np.zeros((2000, 2)), more=np.zeros(3))
    seal(folder, schema)


def no_archive(folder: Path, schema: dict[str, Any]) -> None:
    (folder / "reference.npz").write_bytes(b"PK\x03\x04 but no more")
    seal(folder, schema)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (drop_rows, r"has the shape \(2000, 2\), schema.json describes \(7, 2\); fit the reference again"),
        (drop_hash, "lacks or misuses 'sha256'"),
        (new_format, "is not of format 2; fit the reference again with this version of Headgate"),
        (raise_a_floor, "schema.json was changed after it was written; fit the reference again"),
        (remove_a_floor, "lacks or misuses a floor of nan; fit the reference again"),
        (flip_bit, "reference.npz was changed after it was written"),
        (extra_member, "lacks or misuses .*colour"),
        (other_library, "was fitted with alibi-detect 0.12.0, this monitor has 0.11.4; fit the reference again"),
        (pickled_rows, "reference.npz is no file of numbers: Object arrays cannot be loaded"),
        (infinite_rows, "holds other values than finite numbers"),
        (another_array, r"holds matrix.npy, more.npy of \d+ bytes, not one array"),
        (no_archive, "reference.npz is no file of numbers"),
    ],
)
def test_a_reference_that_must_not_be_used_is_refused(
    damage: Callable[[Path, dict[str, Any]], None], sentence: str, tmp_path: Path
) -> None:
    fit(rows(), window_rows=1000).write(tmp_path)
    schema = json.loads((tmp_path / "schema.json").read_text())
    damage(tmp_path, schema)
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    with pytest.raises(DriftError, match=sentence):
        read_reference(tmp_path)


def test_what_a_file_says_of_its_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(rows(), window_rows=1000).write(tmp_path)
    monkeypatch.setattr(artifact, "LARGEST_ROWS", 30_000)  # packed they are smaller than that
    with pytest.raises(DriftError, match=r"of \d+ bytes, not one array"):
        read_reference(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    fit().write(tmp_path)
    (tmp_path / "reference.npz").unlink()
    with pytest.raises(DriftError, match=r"lacks a readable reference\.npz: No such file"):
        read_reference(tmp_path)
