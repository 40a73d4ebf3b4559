"""What a model says about its golden set when it is loaded."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from headgate_serving.model import ExportedModel, ModelError, load_model
from headgate_serving.model.parity import difference


def test_a_model_that_answers_as_where_it_was_trained_has_no_difference(small_export: Path) -> None:
    model = load_model(small_export)
    assert difference(model) is None
    assert difference(replace(model, golden=None)) is None


def test_a_model_that_is_read_otherwise_is_told_with_the_numbers(make_export: Callable[..., Path], tmp_path: Path) -> None:
    model = load_model(make_export(tmp_path, "4", tamper_base_score=True))
    found = difference(model)
    assert found is not None
    assert (found.differing, found.rows) == (20, 20)
    assert abs(found.answer - found.golden) > 0.1
    assert f"{found.answer:.6g} instead of {found.golden:.6g} for golden row {found.row}, 20 of 20 rows differ" in str(found)
    assert "it was trained with xgboost 3." in str(found)


@pytest.mark.parametrize(
    ("golden", "sentence"),
    [
        ({}, "does not fit the model"),
        ({"outputs": {"probability": ["x"]}, "request": {}}, "does not fit the model"),
        ({"outputs": {"probability": [0.5]}, "request": {"inputs": []}}, "does not fit the model: no tensor for any"),
    ],
)
def test_a_golden_set_of_another_model_is_refused(small_export: Path, golden: dict[str, object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        difference(replace(ExportedModel.load(small_export), golden=golden))


def test_a_golden_set_with_other_rows_is_refused(small_export: Path) -> None:
    model = ExportedModel.load(small_export)
    assert model.golden is not None
    with pytest.raises(ModelError, match="has 1 answers for 20 rows"):
        difference(replace(model, golden={**model.golden, "outputs": {"probability": [0.5]}}))
