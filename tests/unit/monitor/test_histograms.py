import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from headgate_monitor.detectors import fit_reference
from headgate_monitor.detectors.histograms import histogram, jensen_shannon_distance, population_stability_index

KINDS = {"x": "number", "c": "category"}


def test_histograms_on_the_references_bins_merge_by_addition() -> None:
    random = np.random.default_rng(0)
    rows = {"x": [None, *random.normal(size=999)], "c": random.choice(["A", "B", None], 1000).tolist()}
    reference = fit_reference(rows, range(1000), KINDS, window_rows=200)
    for column, feature in enumerate(reference.features):
        values = reference.matrix[:, column]
        parts = [histogram(feature, part) for part in (values[:300], values[300:])]
        assert (sum(parts) == histogram(feature, values)).all()
        assert len(parts[0]) == feature.bins
        assert sum(parts).sum() == (~feature.missing(values)).sum()
    assert histogram(reference.features[1], reference.features[1].encode({"c": ["A", "new", None]})).tolist() in ([1, 0, 1], [0, 1, 1])


def test_the_jensen_shannon_distance_is_scipys() -> None:
    one, other = np.array([5, 0, 10, 85]), np.array([20, 20, 0, 60])
    assert jensen_shannon_distance(one, other) == pytest.approx(jensenshannon(one, other, base=2))
    assert jensen_shannon_distance(one, one) == 0
    assert jensen_shannon_distance(one, np.zeros(4, dtype=np.int64)) == 0


def test_the_index_is_the_one_counted_by_hand_without_what_chance_alone_gives() -> None:
    # (0.25 − 0.5) ln 0.5 + (0.75 − 0.5) ln 1.5 = 0.173287 + 0.101366, and (2 − 1)(1/100 + 1/100) of chance
    assert population_stability_index(np.array([50, 50]), np.array([25, 75])) == pytest.approx(0.274653 - 0.02, abs=1e-6)
    assert population_stability_index(np.array([50, 50]), np.array([10, 10])) == 0


def test_the_index_of_a_shift_of_half_a_deviation_is_as_published_and_small_windows_are_not_biased() -> None:
    random = np.random.default_rng(1)
    edges = np.quantile(random.normal(size=100_000), np.linspace(0, 1, 21)[1:-1])

    def counts(values: np.ndarray) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, values), minlength=20)

    reference = counts(random.normal(size=10_000))
    assert population_stability_index(reference, counts(random.normal(0.5, 1, 50_000))) == pytest.approx(0.238, abs=0.03)
    still = [population_stability_index(reference, counts(random.normal(size=200))) for _ in range(200)]
    assert np.mean(still) < 0.05  # 0.097 of bias alone
