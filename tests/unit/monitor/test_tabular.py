import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from headgate_monitor.detectors.alibi import TabularDrift
from headgate_monitor.detectors.distances import ks_distance, ks_distance_to_rest, total_variation
from headgate_monitor.detectors.tabular import PresortedTabularDrift

tied = st.lists(st.integers(-4, 4).map(float), min_size=3, max_size=40).map(np.array)
spread = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40).map(np.array)


@given(tied | spread, tied | spread)
def test_the_distance_is_scipys_with_and_without_ties(reference: np.ndarray, window: np.ndarray) -> None:
    assert ks_distance(np.sort(reference), window) == pytest.approx(ks_2samp(reference, window, method="asymp").statistic, abs=1e-12)


@given(tied | spread, tied | spread)
def test_the_distance_to_the_rest_is_that_of_two_samples(window: np.ndarray, rest: np.ndarray) -> None:
    everything = np.sort(np.concatenate([window, rest]))
    assert ks_distance_to_rest(everything, window) == pytest.approx(ks_distance(np.sort(rest), window), abs=1e-12)


def test_total_variation_of_a_yes_no_column_is_the_difference_of_the_shares() -> None:
    assert total_variation(np.array([80, 20]), np.array([5, 5])) == pytest.approx(0.3)


def sample(random: np.random.Generator, rows: int, shift: float) -> np.ndarray:
    return np.column_stack(
        [
            random.normal(shift, 1, rows),
            random.poisson(1 + shift, rows).astype(float),
            np.round(random.exponential(1 + shift, rows), 1),
            np.minimum(random.zipf(1.6, rows), 12 + int(shift * 10)).astype(float),
            (random.random(rows) < 0.3 + shift / 3).astype(float),
        ]
    )


@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful")  # of the stock detector; it goes on without
@pytest.mark.parametrize("correction", ["bonferroni", "fdr"])
def test_it_decides_as_the_stock_detector_in_250_random_cases_with_ties(correction: str) -> None:
    drifted = 0
    for seed in range(250):
        random = np.random.default_rng(seed)
        rows, own = ((300, 60), (500, 100), (1000, 200))[seed % 3]
        shift, level = (0.0, 0.1, 0.2, 0.5)[seed % 4], (0.05, 0.01, 3.5e-4)[seed // 4 % 3]
        reference, window = sample(random, rows, 0.0), sample(random, own, shift)
        stock = TabularDrift(reference, p_val=level, categories_per_feature={3: None, 4: None}, correction=correction)
        quick = PresortedTabularDrift(reference, level, [3, 4], correction=correction)
        for kind in ("batch", "feature"):
            expected, found = stock.predict(window, drift_type=kind)["data"], quick.predict(window, drift_type=kind)["data"]
            np.testing.assert_array_equal(found["is_drift"], expected["is_drift"])
            np.testing.assert_allclose(found["distance"], expected["distance"], rtol=1e-5)
            np.testing.assert_allclose(found["p_val"], expected["p_val"], atol=0.02)
            near = (expected["p_val"] > level / 5 / 1.5) & (expected["p_val"] < level * 1.5)
            np.testing.assert_allclose(found["p_val"][near], expected["p_val"][near], rtol=1e-4)
            np.testing.assert_array_equal(found["threshold"], expected["threshold"])
        drifted += int(np.any(found["is_drift"]))
    assert 50 < drifted < 200  # both decisions were asked for


def test_one_missing_number_silences_no_feature() -> None:
    random = np.random.default_rng(0)
    reference, window = random.normal(size=(1000, 2)), random.normal(3, 1, size=(200, 2))
    reference[5, 0] = window[7, 0] = window[8, 1] = np.nan
    assert PresortedTabularDrift(reference, 0.01, []).predict(window, drift_type="feature")["data"]["is_drift"].tolist() == [1, 1]


def test_too_few_rows_give_no_evidence() -> None:
    reference, window = np.zeros((1000, 1)), np.ones((120, 1))
    window[:30] = np.nan
    assert PresortedTabularDrift(reference, 0.05, [], minimum_rows=100).predict(window)["data"]["is_drift"] == 0
    assert PresortedTabularDrift(reference, 0.05, [], minimum_rows=90).predict(window)["data"]["is_drift"] == 1
