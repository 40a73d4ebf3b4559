"""Skill over time: what a version is worth beyond the base rate, and whether that fell."""

from math import nan

import numpy as np
import pytest

from headgate_monitor.truth.cohort import Row, Tally, tally
from headgate_monitor.truth.skill import Allowed, dropped, measure
from headgate_monitor.watch.alarm import Signal

HALF = Allowed(skill_drop=0.5)


def hours(random, count, *, sharp=0.3, base=0.2, each=60):
    """Labels whose probability is known up to `sharp` of the way from the base rate; hours differ in their base rate."""
    for _ in range(count):
        rate = float(np.clip(base + random.normal(0, 0.05), 0.05, 0.95))
        labels = random.random(each) < rate
        said = np.clip(base + sharp * (labels - base) + random.normal(0, 0.05, each), 0, 1)
        yield tally([Row("r1", str(n), 0.0, said[n], float(labels[n])) for n in range(each)])


def test_skill_is_one_for_a_prophet_and_nothing_for_the_base_rate():
    labels = [1.0, 0.0, 0.0, 0.0] * 20
    prophet = [tally([Row("r", str(n), 0, label, label) for n, label in enumerate(labels)])] * 15
    climate = [tally([Row("r", str(n), 0, 0.25, label) for n, label in enumerate(labels)])] * 15
    assert measure(prophet).skill.value == pytest.approx(1)
    assert measure(climate).skill.value == pytest.approx(0)
    assert measure(climate).accuracy.value == pytest.approx(0.75)


def test_the_uncertainty_is_that_of_repeated_measurement():
    random = np.random.default_rng(1)
    found = [measure(list(hours(random, 20, each=40))) for _ in range(100)]
    spread = np.std([one.skill.value for one in found])
    assert np.sqrt(np.mean([one.skill.variance for one in found])) == pytest.approx(spread, rel=0.25)


def test_few_labels_or_hours_or_labels_all_alike_tell_nothing():
    random = np.random.default_rng(2)
    assert measure(list(hours(random, 11, each=500))) is None
    assert measure(list(hours(random, 20, each=10))) is None
    alike = [Tally(predictions=100, labelled=100, brier=4)] * 20
    assert measure(alike).skill is None
    assert dropped(measure(alike), measure(alike), HALF).signal is Signal.UNKNOWN


def test_lost_skill_is_told_kept_skill_is_not_and_the_base_rate_does_not_matter():
    random = np.random.default_rng(3)
    promoted = measure(list(hours(random, 40)))
    assert dropped(promoted, measure(list(hours(random, 60))), HALF).signal is Signal.CLEAN
    assert dropped(promoted, measure(list(hours(random, 60, base=0.4))), HALF).signal is Signal.CLEAN
    said = dropped(promoted, measure(list(hours(random, 60, sharp=0.02))), HALF)
    assert said.signal is Signal.SEVERE
    assert said.message.startswith("skill 0.0")
    assert "at promotion, least allowed 0.2" in said.message


def test_without_a_drop_there_are_no_alarms():
    random = np.random.default_rng(4)
    promoted = [measure(list(hours(random, 15, each=40))) for _ in range(100)]
    alarms = sum(dropped(one, measure(list(hours(random, 15, each=40))), Allowed(0.2, 0.05)).signal.alarms for one in promoted)
    assert alarms <= 2


def test_accuracy_falls_by_a_difference():
    random = np.random.default_rng(5)
    promoted, worse = (measure(list(hours(random, 60, sharp=sharp, base=0.4))) for sharp in (0.4, 0.1))
    said = dropped(promoted, worse, Allowed(accuracy_drop=0.05))
    assert said.signal is Signal.SEVERE
    assert said.message.startswith("accuracy 0.6")


def test_a_version_without_skill_at_promotion_cannot_lose_it():
    random = np.random.default_rng(6)
    none = measure(list(hours(random, 40, sharp=0.0)))
    assert dropped(none, none, HALF).signal is Signal.UNKNOWN
    assert dropped(None, none, HALF).signal is Signal.UNKNOWN
    assert dropped(none, none, Allowed()).signal is Signal.UNKNOWN


def test_answers_that_are_no_probabilities_count_as_the_worst():
    assert tally([Row("r", "1", 0, nan, 1.0), Row("r", "2", 0, 7.0, 0.0)]).brier == 2
