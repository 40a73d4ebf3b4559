"""The detectors that a reference may name: alibi-detect's own decide, and its missing values never reach them."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import cramervonmises_2samp, ks_2samp

from headgate_monitor.detectors import Detector, Reference, Scorer, WindowScore, fit_reference
from headgate_monitor.watch.alarm import Signal
from headgate_monitor.watch.wording import judge

KINDS = {"carrier": "category", "humid": "number", "wind": "number"}


def rows(count: int, *, seed: int = 0, humid: float = 0.0, missing: float = 0.1, together: float = 0.0) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    values, wind = random.normal(size=(2, count))
    wind = together * values + np.sqrt(1 - together**2) * wind
    return {
        "carrier": random.choice(["A", "B", "C"], count, p=[0.5, 0.3, 0.2]).tolist(),
        "humid": [None if lost else float(value + humid) for value, lost in zip(values, random.random(count) < missing, strict=True)],
        "wind": wind.tolist(),
    }


def fit(detector: Detector, count: int = 3000) -> Reference:
    return fit_reference(rows(count), range(count), KINDS, window_rows=500, detector=detector)


def score(reference: Reference, window: dict[str, list[Any]]) -> WindowScore:
    return Scorer(reference, alpha=0.01).score(window)


@pytest.mark.parametrize("detector", [Detector.TABULAR, Detector.KS, Detector.CVM, Detector.CHI_SQUARE])
def test_each_univariate_detector_is_quiet_without_drift_and_names_the_feature_that_moved(detector: Detector) -> None:
    reference = fit(detector)
    scorer = Scorer(reference, alpha=0.01)
    assert not [seed for seed in range(1, 9) if scorer.score(rows(500, seed=seed)).alarm]
    found = scorer.score(rows(500, seed=9, humid=0.6))
    assert [feature.name for feature in found.features if feature.alarm] == ["humid"]
    assert [round(feature.distance, 6) for feature in found.features] == [
        round(feature.distance, 6) for feature in score(fit(Detector.TABULAR), rows(500, seed=9, humid=0.6)).features
    ]


def test_the_p_values_are_those_of_the_stock_detectors_without_the_missing_values() -> None:
    base, window = rows(3000), rows(500, seed=2, humid=0.1)
    present = [[value for value in columns["humid"] if value is not None] for columns in (base, window)]
    tests = {
        Detector.KS: ks_2samp(*present, method="asymp").pvalue,
        Detector.CVM: cramervonmises_2samp(*present).pvalue,
    }
    for detector, p in tests.items():
        assert score(fit(detector), window).features[1].p == pytest.approx(p, rel=1e-3)


def test_a_new_category_and_a_lost_one_are_no_error_to_the_stock_detector() -> None:
    window = rows(500, seed=3)
    window["carrier"] = ["new" if value == "C" else value for value in window["carrier"]]
    carrier = score(fit(Detector.CVM), window).features[0]
    assert (carrier.alarm, carrier.unseen) == (True, pytest.approx(0.2, abs=0.05))


def test_a_constant_feature_is_no_drift_and_no_error() -> None:
    for detector in (Detector.TABULAR, Detector.KS, Detector.CVM, Detector.CHI_SQUARE):
        base = {**rows(1000), "wind": [7.0] * 1000, "carrier": ["A"] * 1000}
        reference = fit_reference(base, range(1000), KINDS, window_rows=200, detector=detector)
        same = {**rows(300, seed=1), "wind": [7.0] * 300, "carrier": ["A"] * 300}
        assert not Scorer(reference, alpha=0.01).score(same).alarm, detector
        assert Scorer(reference, alpha=0.01).score({**same, "wind": [7.5] * 300}).alarm is (detector is not Detector.CHI_SQUARE)


def test_the_classifier_sees_what_changes_only_in_the_relation_of_features() -> None:
    reference = fit(Detector.CLASSIFIER)
    scorer = Scorer(reference, alpha=0.01)
    quiet, moved = scorer.score(rows(500, seed=1)), scorer.score(rows(500, seed=2, together=0.95))
    assert (quiet.alarm, moved.alarm) == (False, True)
    assert not any(feature.alarm for feature in moved.features)
    outcome = judge(moved, reference.features, compared=3000, subject="here")
    assert outcome.signal in (Signal.DRIFT, Signal.SEVERE)
    assert "a classifier tells them apart by 0." in outcome.message
    assert judge(quiet, reference.features, compared=3000, subject="here").signal is Signal.CLEAN
