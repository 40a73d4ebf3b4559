from typing import Any

import numpy as np
import pytest

from headgate_monitor.detectors import DriftError, FeatureScore, Scorer, WindowScore, fit_reference

KINDS = {"carrier": "category", "humid": "number"}


def rows(count: int, *, seed: int = 0, humid: float = 0.0, missing: float = 0.1, extra: float = 0.0) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    values = random.normal(humid, 1, count)
    return {
        "carrier": random.choice(["A", "B", "C"], count, p=[0.5 - extra, 0.5 - extra, 2 * extra]).tolist(),
        "humid": [None if lost else float(value) for value, lost in zip(values, random.random(count) < missing, strict=True)],
    }


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(fit_reference(rows(10_000), range(10_000), KINDS), alpha=0.01)


def features(score: WindowScore) -> dict[str, FeatureScore]:
    return {feature.name: feature for feature in score.features}


def test_windows_like_the_training_data_do_not_alarm(scorer: Scorer) -> None:
    assert not [seed for seed in range(1, 60) if scorer.score(rows(500, seed=seed)).alarm]


def test_a_shifted_number_alarms_with_its_distance(scorer: Scorer) -> None:
    score = scorer.score(rows(500, seed=1, humid=1.0))
    humid = features(score)["humid"]
    assert (humid.alarm, humid.severe, features(score)["carrier"].alarm) == (True, True, False)
    assert humid.distance == pytest.approx(0.383, abs=0.05)
    assert score.threshold == pytest.approx(0.01 / 2)


def test_a_certain_but_small_shift_does_not_alarm(scorer: Scorer) -> None:
    humid = features(scorer.score(rows(20_000, seed=2, humid=0.1)))["humid"]
    assert humid.p is not None
    assert humid.p < 1e-6
    assert not humid.alarm


def test_new_categories_alarm_by_their_share(scorer: Scorer) -> None:
    carrier = features(scorer.score(rows(500, seed=3, extra=0.1)))["carrier"]
    assert carrier.alarm
    assert carrier.distance == pytest.approx(0.2, abs=0.04)


def test_values_that_go_missing_alarm_on_their_own(scorer: Scorer) -> None:
    humid = features(scorer.score(rows(500, seed=4, missing=0.5)))["humid"]
    assert humid.alarm
    assert humid.missing_distance == pytest.approx(0.4, abs=0.06)
    assert humid.distance < 0.1
    assert not humid.severe


def test_a_missing_category_counts_as_missing_and_as_a_shift(scorer: Scorer) -> None:
    columns = rows(500, seed=6)
    columns["carrier"][:200] = [None] * 200
    carrier = features(scorer.score(columns))["carrier"]
    assert (carrier.rows, carrier.missing_distance) == (300, pytest.approx(0.4))
    assert carrier.distance == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("count", [1, 99])
def test_fewer_than_100_rows_give_no_verdict(scorer: Scorer, count: int) -> None:
    score = scorer.score(rows(count, humid=9, missing=0, extra=0.5))
    assert [feature.p for feature in score.features] == [None, None]
    assert not score.alarm


def test_a_feature_that_is_missing_throughout_has_no_p_but_alarms(scorer: Scorer) -> None:
    humid = features(scorer.score({**rows(500, seed=5), "humid": [None] * 500}))["humid"]
    assert (humid.rows, humid.p, humid.distance, humid.alarm) == (0, None, 0.0, True)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"carrier": ["A"]}, "the rows have no column 'humid'; they have carrier"),
        ({"carrier": ["A"], "humid": [1, 2]}, "the columns have different lengths"),
        ({"carrier": [], "humid": []}, "a window without rows"),
        ({"carrier": ["A"], "humid": ["wet"]}, "column 'humid' must hold numbers or null, found 'wet'"),
    ],
)
def test_rows_that_are_no_window_are_refused(scorer: Scorer, columns: dict[str, list[Any]], sentence: str) -> None:
    with pytest.raises(DriftError, match=sentence):
        scorer.score(columns)


def test_alpha_is_a_probability() -> None:
    with pytest.raises(DriftError, match="alpha must lie between 0 and 1, found 1"):
        Scorer(fit_reference(rows(200), range(200), KINDS), alpha=1)
