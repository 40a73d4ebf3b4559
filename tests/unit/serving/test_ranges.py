import numpy as np
import pytest

from headgate_serving.model import Feature, FeatureKind, FeatureSet, ModelError, OutOfRangeError, RangeGuard, RangePolicy, fit_features

NUMBER, CATEGORY = FeatureKind.NUMBER, FeatureKind.CATEGORY
FEATURES = FeatureSet((Feature("dest", CATEGORY, ("ATL",)), Feature("humid", NUMBER, range=(0.1, 100.0)), Feature("new", NUMBER)))
MATRIX = np.array([[0, 50, 1e9], [1, 0.1, 0], [0, 101, -1e9], [float("nan")] * 3], dtype=np.float32)


def test_training_values_themselves_lie_inside_whatever_float32_makes_of_them() -> None:
    features = fit_features({"x": [0.1, None, 16_777_217, float("nan")]}, {"x": NUMBER})
    assert features.by_name["x"].range == (0.1, 16_777_217)
    guard = RangeGuard.of(features, RangePolicy.REFUSE)
    assert guard.apply(features.encode({"x": [0.1, 16_777_217, None]}))[1] == {}


def test_a_column_without_a_number_has_no_range() -> None:
    assert fit_features({"x": [None, None]}, {"x": NUMBER}).by_name["x"].range is None


@pytest.mark.parametrize(("policy", "humid"), [(RangePolicy.COUNT, 101), (RangePolicy.CLIP, 100)])
def test_values_outside_are_counted_and_clipped_as_wanted(policy: RangePolicy, humid: float) -> None:
    matrix, outside = RangeGuard.of(FEATURES, policy).apply(MATRIX)
    assert outside == {"humid": 1}
    expected = MATRIX.copy()
    expected[2, 1] = humid
    assert np.array_equal(matrix, expected, equal_nan=True)


def test_a_guard_that_refuses_names_the_feature_the_value_and_the_range() -> None:
    with pytest.raises(OutOfRangeError, match=r"'humid' is 101 in row 2, outside of what the model was trained on, 0\.1 to 100") as refused:
        RangeGuard.of(FEATURES, RangePolicy.REFUSE).apply(MATRIX)
    assert refused.value.counts == {"humid": 1}


def test_off_looks_at_nothing_and_features_without_ranges_cannot_be_guarded() -> None:
    bare = FeatureSet((Feature("x", NUMBER),))
    matrix = np.array([[1e30]], dtype=np.float32)
    assert RangeGuard.of(bare, RangePolicy.OFF).apply(matrix) == (matrix, {})
    with pytest.raises(ModelError, match="no ranges to guard; train it again"):
        RangeGuard.of(bare, RangePolicy.COUNT)
