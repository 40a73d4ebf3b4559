"""Losses, bets, cohorts, the verdict on a trial: what labels say of two versions."""

from fractions import Fraction
from itertools import product
from math import exp, log, nan, prod

import numpy as np
import pytest

from headgate_monitor.truth.betting import FRESH, against_at_least, against_at_most, log_evidence
from headgate_monitor.truth.cohort import Row, differences, tally
from headgate_monitor.truth.losses import Metric, scaled_losses
from headgate_monitor.truth.trial import Settings, TrialState
from headgate_monitor.watch.alarm import Signal

STAKES = [Fraction(1, share) for share in (32, 16, 8, 4, 2)]


def rows(version, losses, *, first=0, labels=None, at=0.0):
    """One request for each loss, whose Brier score it is: label 0 and its root as the prediction."""
    known = labels if labels is not None else [0.0] * len(losses)
    return [Row(version, f"q{first + n}", at + n, loss**0.5, label, None if label is None else at + n + 60)
            for n, (loss, label) in enumerate(zip(losses, known, strict=True))]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "losses"),
    [
        (Metric.BRIER, [0.04, 0.64, 0.25, 1, 1, 1, 0]),
        (Metric.ACCURACY, [0, 1, 1, 1, 1, 1, 0]),
        (Metric.LOG_LOSS, [log(0.8) / log(0.001), log(0.2) / log(0.001), log(0.5) / log(0.001), 1, 1, 1, 0]),
    ],
)
def test_a_loss_is_a_share_of_the_worst_one_and_what_is_no_probability_costs_the_most(metric, losses):
    predictions, labels = np.array([0.2, 0.2, 0.5, nan, 3.0, -0.1, 1.0]), np.array([0, 1, 0, 0, 1, 0, 1.0])
    assert scaled_losses(metric, predictions, labels) == pytest.approx(losses, abs=1e-12)


@pytest.mark.parametrize(("found", "margin"), [([0.5, -0.25, 1.0], 0.1), ([-1.0, -1.0], 0.02), ([0.0] * 5, 0.5)])
def test_capital_is_what_the_stakes_make_of_it_in_exact_fractions(found, margin):
    exact = Fraction(str(margin))
    up = [prod(1 + stake * (Fraction(one) - exact) / (1 + exact) for one in found) for stake in STAKES]
    down = [prod(1 + stake * (exact - Fraction(one)) / (1 - exact) for one in found) for stake in STAKES]
    for claimed, expected in ((against_at_most, up), (against_at_least, down)):
        capital = claimed(FRESH, np.array(found), margin)
        assert capital == pytest.approx([log(one) for one in expected])
        assert log_evidence(capital) == pytest.approx(log(sum(expected) / 5))


def test_nothing_is_won_on_average_where_the_claim_is_just_true():
    # 1 with probability 0.4 and -0.5 with 0.6 has the mean 0.1
    total = 0.0
    for path in product((1.0, -0.5), repeat=7):
        chance = prod(0.4 if one == 1.0 else 0.6 for one in path)
        total += chance * exp(log_evidence(against_at_most(FRESH, np.array(path), 0.1)))
    assert total == pytest.approx(1.0)


def test_the_order_and_the_portions_of_differences_do_not_matter():
    found = np.random.default_rng(0).uniform(-1, 1, 60)
    at_once = against_at_most(FRESH, found, 0.02)
    portions = FRESH
    for part in (found[40:], found[:15], found[15:40]):
        portions = against_at_most(portions, part, 0.02)
    assert portions == pytest.approx(at_once)


def test_a_version_that_is_worse_by_just_the_margin_is_convicted_as_seldom_as_promised_however_often_one_looks():
    random, convicted, runs = np.random.default_rng(3), 0, 1000
    for _ in range(runs):
        capital, peak = FRESH, 0.0
        for _ in range(20):
            capital = against_at_most(capital, np.where(random.random(40) < 0.55, 0.5, -0.5), 0.05)  # mean 0.05
            peak = max(peak, log_evidence(capital))
        convicted += peak >= log(20)
    assert 0 < convicted / runs <= 0.05


def test_each_of_the_few_is_compared_with_neighbours_in_time_and_nobody_is_used_twice():
    found, paired = differences(rows("r1", [0.1, 0.3, 0.5, 0.7, 0.8]), rows("r2", [0.4, 0.9], first=10), Metric.BRIER)
    assert found == pytest.approx([0.4 - 0.2, 0.9 - (0.5 + 0.7 + 0.8) / 3])
    assert paired == 0
    found, _ = differences(rows("r1", [0.4]), rows("r2", [0.2, 0.4], first=10), Metric.BRIER)
    assert found == pytest.approx([0.3 - 0.4])


def test_a_request_that_both_answered_is_compared_with_itself():
    stable, trial = rows("r1", [0.1, 0.9, 0.3]), rows("r2", [0.2, 1.0])
    found, paired = differences(stable, trial, Metric.BRIER)
    assert found == pytest.approx([0.1, 0.1])
    assert paired == 2


def test_the_rows_of_one_request_count_as_one():
    trial = [Row("r2", "q9", 0.0, prediction, 0.0) for prediction in (1.0, 0.0, 0.0, 0.0)]
    found, _ = differences(rows("r1", [0.5]), trial, Metric.BRIER)
    assert found == pytest.approx([0.25 - 0.5])


def test_rows_without_labels_compare_nothing_and_lower_the_coverage():
    stable, trial = rows("r1", [0.2, 0.2]), rows("r2", [0.3, 0.3], first=10, labels=[None, None])
    assert len(differences(stable, trial, Metric.BRIER)[0]) == 0
    assert (tally(stable).coverage, tally(trial).coverage) == (1.0, 0.0)
    assert tally(stable).lag == 120
    assert tally(trial).mean(Metric.BRIER) is None


def cohorts(random, count, *, worse=0.0, covered=(1.0, 1.0), stable=40, trial=10):
    """Cohorts of predictions about events of many probabilities; the trial's are off by more."""
    for number in range(count):
        sides = []
        for version, size, noise, share in (("r1", stable, 0.0, covered[0]), ("r2", trial, worse, covered[1])):
            truth = random.beta(1, 2, size)
            said = np.where(random.random(size) < noise, 1 - truth, truth)
            labels = random.random(size) < truth
            known = random.random(size) < share
            sides.append([
                Row(version, f"{version}-{number}-{n}", float(n), said[n], float(labels[n]) if known[n] else None, n + 60.0)
                for n in range(size)
            ])  # fmt: skip
        yield sides


def verdict(found, settings):
    state = TrialState()
    for stable, trial in found:
        state = state.after(stable, trial, settings)
        if state.outcome(settings).signal is Signal.SEVERE:
            break
    return state.outcome(settings)


def test_a_candidate_that_is_worse_only_on_labels_is_convicted_and_an_equal_one_is_not():
    settings, runs = Settings(), 200  # labels are few and the fault is large, so that this is cheap
    random = np.random.default_rng(11)
    bad = sum(verdict(cohorts(random, 60, worse=0.9, stable=15), settings).signal is Signal.SEVERE for _ in range(runs))
    good = sum(verdict(cohorts(random, 12, stable=15), settings).signal is Signal.SEVERE for _ in range(runs))
    assert bad >= 0.95 * runs
    assert good <= 0.01 * runs


def test_an_equal_candidate_is_found_not_worse_after_enough_labels_and_undecided_before():
    settings, random = Settings(margin=0.1), np.random.default_rng(5)
    assert verdict(cohorts(random, 3), settings).signal is Signal.UNKNOWN
    said = verdict(cohorts(random, 60), settings)
    assert said.signal is Signal.CLEAN
    assert "not worse by 0.1 or more" in said.message


def test_uneven_coverage_convicts_nobody_and_clears_nobody():
    settings, random = Settings(), np.random.default_rng(6)
    for covered in ((0.95, 0.6), (0.6, 0.95)):
        state = TrialState()
        for stable, trial in cohorts(random, 60, worse=0.9, covered=covered):
            state = state.after(stable, trial, settings)
        assert state.coverage().signal is Signal.DRIFT
        assert "too uneven" in state.coverage().message
        assert state.outcome(settings).signal is Signal.UNKNOWN
    late = TrialState()
    for stable, trial in cohorts(random, 20, worse=0.9, covered=(1.0, 0.0)):
        late = late.after(stable, trial, settings)
    assert late.outcome(settings).signal is Signal.UNKNOWN


def test_a_few_missing_labels_are_chance():
    state = TrialState()
    for stable, trial in cohorts(np.random.default_rng(7), 2, covered=(0.9, 0.75)):
        state = state.after(stable, trial, Settings())
    assert state.coverage().signal is Signal.CLEAN


def test_a_conviction_stays_and_says_its_numbers():
    settings, random = Settings(), np.random.default_rng(8)
    state = TrialState()
    for stable, trial in [*cohorts(random, 40, worse=0.9), *cohorts(random, 10)]:
        state = state.after(stable, trial, settings)
    said = state.outcome(settings)
    assert said.signal is Signal.SEVERE
    assert said.message.startswith("the trial's Brier score is 0.")
    assert "worse by more than 0.02 (evidence" in said.message
    assert said.message.endswith("of 100)")
