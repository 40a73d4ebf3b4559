"""Detectors that alibi-detect saved, as references."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from headgate_monitor.detectors import DriftError, Scorer, read_reference
from headgate_monitor.detectors.alibi import ChiSquareDrift, CVMDrift, KSDrift
from headgate_monitor.detectors.saved import import_saved
from headgate_monitor.import_alibi import main
from tests.saveddetectors import rows, save


def test_a_saved_detector_becomes_a_reference_that_alarms_as_it_did(tmp_path: Path) -> None:
    saved = save(tmp_path / "saved")
    result = CliRunner().invoke(main, [str(saved), str(tmp_path / "drift"), "--features", "size, kind", "--in-time-order"])
    assert result.output == f"{tmp_path / 'drift'}: 2 features, 2000 rows, detector tabular, floors uncalibrated\n"  # four windows
    reference = read_reference(tmp_path / "drift")
    assert [(feature.name, feature.kind.value, sorted(feature.categories)) for feature in reference.features] == [
        ("size", "number", []), ("kind", "category", [3.0, 4.0, 5.0]),
    ]  # fmt: skip
    scorer, live = Scorer(reference, alpha=0.01), rows()
    same = {"size": live[:500, 0].tolist(), "kind": live[:500, 1].astype(int).tolist()}  # requests hold 4 where the file holds 4.0
    assert not scorer.score(same).alarm
    alarms = [feature.alarm for feature in scorer.score({"size": (live[:500, 0] + 1).tolist(), "kind": [7] * 500}).features]
    assert alarms == [True, True]


@pytest.mark.parametrize(
    ("detector", "name", "kinds"),
    [(KSDrift, "ks", "number"), (CVMDrift, "cvm", "number"), (ChiSquareDrift, "chi-square", "category")],
)
def test_the_test_is_kept_and_columns_without_names_are_numbered(tmp_path: Path, detector: Any, name: str, kinds: str) -> None:
    base = rows()[:, 1:] if detector is ChiSquareDrift else rows()
    found = import_saved(save(tmp_path / "saved", detector(base)))
    assert found.detector == name
    assert {feature.kind.value for feature in found.features} == {kinds}
    assert [feature.name for feature in found.features] == ["x0", "x1"][: base.shape[1]]


def test_floors_are_learned_only_from_rows_in_their_order_of_time(tmp_path: Path) -> None:
    saved = save(tmp_path / "saved")
    assert import_saved(saved, in_time_order=True, window_rows=200).calibrated
    unordered = import_saved(saved, window_rows=200)
    assert [(feature.windows, feature.floor, feature.pair_floor) for feature in unordered.features] == [(0, 0.10, 0.10)] * 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"name": "MMDDrift"},
            "is of the detector 'MMDDrift'; those that can be imported are TabularDrift, KSDrift, CVMDrift",
        ),
        (
            {"preprocess_fn": {"src": "@preprocess_drift"}},
            "sets preprocess_fn to {.*}; a detector can only be imported without it",
        ),
        ({"update_x_ref": {"last": 100}}, "sets update_x_ref to"),
        ({"alternative": "less"}, "sets alternative to 'less'; a detector can only be imported with 'two-sided'"),
        ({"x_ref": "/etc/x_ref.npy"}, "sets x_ref to '/etc/x_ref.npy'"),
        ({"categories_per_feature": {7: None}}, "must name columns from 0 to 1, found"),
    ],
)
def test_a_detector_that_compares_otherwise_is_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DriftError, match=sentence):
        import_saved(save(tmp_path / "saved", **changes))


@pytest.mark.parametrize("name", ["preprocess_fn/function.dill", "meta.dill", "model/model.joblib", "state/state.pt"])
def test_a_folder_with_anything_but_data_is_refused_unread(tmp_path: Path, name: str) -> None:
    saved = save(tmp_path / "saved")
    (saved / name).parent.mkdir(exist_ok=True)
    (saved / name).write_bytes(pickle.dumps(print))
    with pytest.raises(DriftError, match=f"holds {name}: only config.toml and x_ref.npy are read, because pickles"):
        import_saved(saved)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.array([["a", None]], dtype=object), "no file of numbers"),
        (np.array([["a", "b"]]), "other values than numbers"),
        (np.zeros((3, 2, 2)), r"shape \(3, 2, 2\)"),
        (np.zeros((0, 2)), r"shape \(0, 2\)"),
    ],
)
def test_rows_that_are_no_table_of_numbers_are_refused(tmp_path: Path, array: Any, sentence: str) -> None:
    saved = save(tmp_path / "saved")
    np.save(saved / "x_ref.npy", array, allow_pickle=True)
    with pytest.raises(DriftError, match=sentence):
        import_saved(saved)


def test_a_file_that_promises_more_rows_than_it_holds_is_refused_without_making_room_for_them(tmp_path: Path) -> None:
    saved = save(tmp_path / "saved")
    with (saved / "x_ref.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 2)})
    with pytest.raises(DriftError, match="no file of numbers"):
        import_saved(saved)


def test_what_cannot_be_imported_is_told_in_one_sentence(tmp_path: Path) -> None:
    saved = save(tmp_path / "saved")
    for arguments, sentence in (
        ([str(tmp_path / "none")], "has no config.toml"),
        ([str(saved), "--features", "a"], "1 names are given for the 2 columns"),
        ([str(saved), "--features", "a,a"], "a column's name is given twice"),
        ([str(saved), "--excluded", "b"], "'b' is excluded from alarms but not a feature; the features are x0, x1"),
    ):
        result = CliRunner().invoke(main, [arguments[0], str(tmp_path / "drift"), *arguments[1:]])
        assert (result.exit_code, result.output.startswith("headgate: error: "), result.output.count("\n")) == (1, True, 1)
        assert sentence in result.output
    (saved / "config.toml").write_text("name = ")
    with pytest.raises(DriftError, match="cannot be read: Invalid value"):
        import_saved(saved)
