import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate_serving.model import Feature, FeatureError, FeatureKind, FeatureSet, UnknownCategoryError, UnknownPolicy, fit_features

NUMBER, CATEGORY = FeatureKind.NUMBER, FeatureKind.CATEGORY
CATEGORIES = ("B6", "UA", "", "ÅÄ")

numbers = st.none() | st.integers(-(2**40), 2**40) | st.floats(width=32, allow_nan=False, allow_infinity=False)
strings = st.none() | st.sampled_from([*CATEGORIES, "never seen"])


def features(unknown: UnknownPolicy = UnknownPolicy.OTHER) -> FeatureSet:
    return FeatureSet((Feature("carrier", CATEGORY, CATEGORIES), Feature("distance", NUMBER)), unknown)


@given(st.lists(st.tuples(strings, numbers), min_size=1, max_size=30))
def test_each_value_becomes_its_number_its_code_or_nan(rows: list[tuple[str | None, float | None]]) -> None:
    matrix = features().encode({"carrier": [row[0] for row in rows], "distance": [row[1] for row in rows]})

    assert matrix.shape == (len(rows), 2)
    assert matrix.dtype == np.float32
    for (carrier, distance), (code, value) in zip(rows, matrix, strict=True):
        if carrier is None:
            assert np.isnan(code)
        else:
            assert code == (CATEGORIES.index(carrier) if carrier in CATEGORIES else len(CATEGORIES))
        if distance is None:
            assert np.isnan(value)
        else:
            assert value == np.float32(distance)


@given(st.lists(st.tuples(strings, numbers), min_size=2, max_size=20))
def test_rows_encode_alone_as_they_do_together(rows: list[tuple[str | None, float | None]]) -> None:
    together = features().encode({"carrier": [row[0] for row in rows], "distance": [row[1] for row in rows]})
    alone = [features().encode({"carrier": [carrier], "distance": [distance]})[0] for carrier, distance in rows]
    np.testing.assert_array_equal(together, np.array(alone))


def test_lists_arrays_and_series_encode_alike() -> None:
    carrier, distance = ["UA", None, "new"], [1.5, None, -3.0]
    expected = features().encode({"carrier": carrier, "distance": distance})
    arrays = {"carrier": np.array(["UA", float("nan"), "new"], dtype=object), "distance": np.array([1.5, np.nan, -3.0])}
    frame = pd.DataFrame(arrays, index=[7, 3, 0])
    np.testing.assert_array_equal(features().encode(arrays), expected)
    np.testing.assert_array_equal(features().encode({name: frame[name] for name in frame}), expected)


def test_unknown_category_is_refused_under_the_policy_error_naming_feature_and_value() -> None:
    with pytest.raises(UnknownCategoryError, match="feature 'carrier' has the value 'XX', which is not among the 4 categories"):
        features(UnknownPolicy.ERROR).encode({"carrier": ["UA", "XX"], "distance": [1, 2]})


def test_missing_category_is_no_unknown_category() -> None:
    matrix = features(UnknownPolicy.ERROR).encode({"carrier": [None, float("nan")], "distance": [1, 2]})
    assert np.isnan(matrix[:, 0]).all()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"carrier": ["UA"]}, "the columns lack distance; the model reads carrier, distance"),
        ({"carrier": ["UA"], "distance": [1, 2]}, "different lengths: carrier 1, distance 2"),
        ({"carrier": ["UA"], "distance": ["1.5"]}, "'distance' must hold numbers or null, found '1.5'"),
        ({"carrier": ["UA", "UA"], "distance": [None, "x"]}, "'distance' must hold numbers or null, found 'x'"),
        ({"carrier": [1], "distance": [1]}, "'carrier' must hold strings or null, found 1"),
        ({"carrier": [["UA"]], "distance": [1]}, "'carrier' must hold strings or null"),
        ({"carrier": ["UA"], "distance": [[1]]}, "'distance' must hold numbers or null"),
        ({"carrier": ["UA", "UA"], "distance": [1, float("inf")]}, "'distance' is infinite or beyond ±3.4e38 in row 1"),
        ({"carrier": ["UA"], "distance": [1e39]}, "'distance' is infinite or beyond ±3.4e38 in row 0"),
        ({"carrier": ["UA"], "distance": [10**400]}, "'distance' cannot be read as numbers"),
    ],
)
def test_columns_that_cannot_be_encoded_are_refused_with_a_sentence(columns: dict, sentence: str) -> None:
    with pytest.raises(FeatureError, match=sentence.replace("[", r"\[")):
        features().encode(columns)


def test_the_artifact_survives_json() -> None:
    found = FeatureSet.from_json(json.loads(json.dumps(features(UnknownPolicy.ERROR).to_json())))
    assert found == features(UnknownPolicy.ERROR)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, "not of format 1"),
        ({"unknown": "guess"}, "'guess' is not a valid UnknownPolicy"),
        ({"features": []}, "at least one feature"),
        ({"features": [{"name": "x"}]}, "lacks or misuses 'kind'"),
        ({"features": [{"name": "x", "kind": "text"}]}, "'text' is not a valid FeatureKind"),
        ({"features": [{"name": "x", "kind": "number"}] * 2}, "names a feature twice"),
        ({"features": [{"name": "x", "kind": "number", "categories": ["a"]}]}, "cannot have categories"),
        ({"features": [{"name": "x", "kind": "category", "categories": ["a", "a"]}]}, "names a category twice"),
        ({"features": [{"name": "x", "kind": "category", "range": [0, 1]}]}, "'x' cannot have the range"),
        ({"features": [{"name": "x", "kind": "number", "range": [1, 0]}]}, "'x' cannot have the range"),
        ({"features": [{"name": "x", "kind": "number", "range": [1]}]}, "lacks or misuses"),
    ],
)
def test_an_artifact_that_describes_no_features_is_refused(change: dict, sentence: str) -> None:
    with pytest.raises(FeatureError, match=sentence):
        FeatureSet.from_json({**features().to_json(), **change})


def test_categories_are_fitted_most_frequent_first_ties_by_name_missing_left_out() -> None:
    columns = {"dest": ["B", "C", "A", "C", None, float("nan"), "B", "D"], "x": [1, 2, 3, 4, 5, 6, 7, 8]}
    fitted = fit_features(columns, {"x": NUMBER, "dest": CATEGORY}, max_categories=3)
    assert fitted == FeatureSet((Feature("x", NUMBER, range=(1, 8)), Feature("dest", CATEGORY, ("B", "C", "A"))))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [({"y": ["A"]}, "no column 'x'; it has y"), ({"x": [1]}, "'x' is a category and must hold strings or null, found 1")],
)
def test_fitting_refuses_columns_it_cannot_use(columns: dict, sentence: str) -> None:
    with pytest.raises(FeatureError, match=sentence):
        fit_features(columns, {"x": CATEGORY})
    with pytest.raises(FeatureError, match="max_categories must be at least 1"):
        fit_features({"x": ["A"]}, {"x": CATEGORY}, max_categories=0)
