"""Rehearsals judge as the operator does, and their random draws follow the laws they should."""

import math
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from headgate_operator.api.spec import Analysis, Metric, ModelDeploymentSpec
from headgate_operator.cli.draws import binomial, poisson
from headgate_operator.cli.forecast import FAULTS, forecast
from headgate_operator.cli.rehearsal import Ending, Fault, Scene, rehearse
from headgate_operator.cli.trial import MetricTrial
from headgate_operator.rollout.analysis import analyse, begin, reweigh
from headgate_operator.rollout.analysis.track import block_length
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters
from headgate_operator.stats.block import Block

START = datetime(2026, 3, 1, tzinfo=UTC)
POLL = timedelta(seconds=3)


class Operator:
    """The operator's analysis, fed with the same requests as a trial."""

    def __init__(self, settings: Analysis) -> None:
        self.settings, self.now = settings, START
        self.counters = {0: {"rq_2xx": 0, "rq_5xx": 0}, 1: {"rq_2xx": 0, "rq_5xx": 0}}
        self.status = begin(candidate="r1", candidate_slot=1, stable_slot=0, weight=10)
        self.look(START)

    def serve(self, slot: int, requests: int, bad: int) -> None:
        self.counters[slot]["rq_5xx"] += bad
        self.counters[slot]["rq_2xx"] += requests - bad

    def look(self, now: datetime):
        slots = tuple(SlotCounters(slot=slot, counters=dict(counters)) for slot, counters in self.counters.items())
        found = analyse(self.settings, self.status, Reading(scrapes=(Scrape(proxy="p", at=now, slots=slots),)), now=now)
        self.status = found.status
        return found

    def reweigh(self, now: datetime) -> None:
        self.status = reweigh(self.status, weight=25, now=now)
        self.look(now)


@pytest.mark.parametrize(
    ("candidate_bad", "arrivals", "beside", "maximum"),
    [(0.01, 2, 20, None), (0.01, 30, 20, 0.03), (0.3, 2, 20, 0.03), (1.0, 12, 20, None), (1.0, 2, 20, None), (0.2, 0.05, 0.3, None)],
)
def test_a_trial_holds_the_same_evidence_as_the_operators_analysis(
    candidate_bad: float, arrivals: float, beside: float, maximum: float | None
) -> None:
    settings = Analysis(metrics=[Metric(name="errors", preset="gateway-errors", maximum=maximum)])
    (metric,), source = settings.metrics, random.Random(7)
    operator = Operator(settings)
    length = block_length(metric, settings.interval, flush=timedelta(seconds=5), renewal=timedelta(0))
    trial = MetricTrial(settings, metric, length, weight=10, at=START)
    now, blocks = START, 0
    pending = Block(candidate_total=0, candidate_bad=0, stable_total=0, stable_bad=0)

    def outcome(candidate: int, stable: int) -> Block:
        nonlocal pending
        told = pending
        pending = Block(candidate_total=0, candidate_bad=0, stable_total=0, stable_bad=0)
        assert (told.candidate_total, told.stable_total) == (candidate, stable)
        return told

    for number in range(1300):  # 65 minutes: the mixture starts anew once, besides at the change of weight
        now += POLL
        arrived, others = poisson(source, arrivals), poisson(source, beside)
        failed, others_failed = binomial(source, arrived, candidate_bad), binomial(source, others, 0.01)
        operator.serve(1, arrived, failed)
        operator.serve(0, others, others_failed)
        found = operator.look(now)
        pending += Block(candidate_total=arrived, candidate_bad=failed, stable_total=others, stable_bad=others_failed)
        assert trial.arrive(now, arrived, others, outcome) == found.kept_requests
        blocks += found.kept_requests > 0
        theirs = found.status.metrics[0]
        assert trial.state.evidence == pytest.approx(theirs.evidence, abs=1e-9)
        assert trial.state.promotion_evidence == pytest.approx(theirs.promotion_evidence, abs=1e-9)
        assert trial.state.objective_evidence == pytest.approx(theirs.objective_evidence, abs=1e-9)
        assert (trial.verdict, trial.state.fail_streak) == (theirs.verdict, theirs.fail_streak)
        assert trial.all_failing == (found.all_failing is not None)
        if number == 100:
            trial.reweigh(25, now)
            operator.reweigh(now)
            pending = Block(candidate_total=0, candidate_bad=0, stable_total=0, stable_bad=0)
    assert blocks > 30


@pytest.mark.parametrize("mean", [0.05, 3.0, 80.0, 4000.0])
def test_arrivals_have_the_mean_and_variance_of_a_poisson_law(mean: float) -> None:
    source = random.Random(3)
    drawn = [poisson(source, mean) for _ in range(20_000)]
    average = sum(drawn) / len(drawn)
    variance = sum((value - average) ** 2 for value in drawn) / len(drawn)
    assert average == pytest.approx(mean, abs=5 * math.sqrt(mean / len(drawn)))
    assert variance == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize(("n", "share"), [(7, 0.3), (7, 0.8), (100, 0.01), (5000, 0.005), (40_000, 0.02), (40_000, 0.98)])
def test_failures_have_the_mean_and_variance_of_a_binomial_law(n: int, share: float) -> None:
    source = random.Random(5)
    drawn = [binomial(source, n, share) for _ in range(10_000)]
    average = sum(drawn) / len(drawn)
    variance = sum((value - average) ** 2 for value in drawn) / len(drawn)
    expected = n * share * (1 - share)
    assert average == pytest.approx(n * share, abs=5 * math.sqrt(expected / len(drawn)))
    assert variance == pytest.approx(expected, rel=0.1)
    assert 0 <= min(drawn) <= max(drawn) <= n


def test_nothing_arrives_and_nothing_fails_at_the_ends() -> None:
    source = random.Random(1)
    assert (poisson(source, 0), binomial(source, 0, 0.5), binomial(source, 9, 0), binomial(source, 9, 1)) == (0, 0, 0, 9)


def scene(rate: float = 10, base: float = 0.005, **spec) -> Scene:
    model = {"uri": "s3://m/1", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
    return Scene.of(ModelDeploymentSpec.model_validate({"model": model, **spec}), rate=rate, base_rate=base)


def test_a_good_version_goes_through_every_step_and_the_watch() -> None:
    run = rehearse(scene(rollout={"watch": {"duration": "5m"}}), random.Random(1))
    assert run.ending is Ending.PROMOTED
    assert len(run.ends) == 4
    assert run.ends == sorted(run.ends)
    assert run.ends[0] >= timedelta(seconds=100 / 0.5 - 60)
    assert run.ends[3] - run.ends[2] == timedelta(minutes=5)


def test_too_few_requests_hold_it_until_the_timeout() -> None:
    run = rehearse(scene(rate=0.1, rollout={"holdTimeout": "20m"}), random.Random(1))
    assert (run.ending, run.stage, run.ends, run.evident) == (Ending.HELD, 0, [], None)


@pytest.mark.parametrize(
    ("rollout", "ending"),
    [
        ({"onInsufficientData": "Rollback"}, Ending.OUT_OF_TIME),
        ({"onInsufficientData": "Promote"}, Ending.PROMOTED),
        ({"maxDuration": "10m"}, Ending.OUT_OF_TIME),
    ],
)
def test_without_enough_requests_the_declared_policy_decides(rollout, ending: Ending) -> None:
    plan = {"holdTimeout": "20m", "watch": {"duration": "0s"}} | rollout
    assert rehearse(scene(rate=0.1, rollout=plan), random.Random(1)).ending is ending


def test_promotion_needs_no_evidence_if_the_manifest_says_so() -> None:
    plan = {"watch": {"duration": "0s"}, "steps": [{"weight": 50, "minDuration": "10s", "minRequests": 0}]}
    run = rehearse(scene(rollout=plan, analysis={"requirePromotionEvidence": False}), random.Random(1))
    assert run.ends == [timedelta(seconds=12)]


def test_a_pause_takes_no_time_and_is_no_stage() -> None:
    stages = scene(rollout={"steps": [{"weight": 5}, {"pause": True}, {"weight": 50}, {"pause": True}]}).stages
    assert [(stage.weight, stage.pause_before) for stage in stages] == [(5, False), (50, True), (95, True)]


def test_a_fault_during_the_watch_is_caught_there() -> None:
    run = rehearse(scene(), random.Random(1), Fault(stage=3, share=1.0, patience=timedelta(hours=1)))
    assert run.ending is Ending.ROLLED_BACK
    assert len(run.ends) == 3
    assert run.caught is not None
    assert run.caught[1] < timedelta(minutes=2)


def test_a_fault_that_is_as_good_as_none_is_not_caught() -> None:
    run = rehearse(scene(), random.Random(1), Fault(stage=0, share=0.005, patience=timedelta(minutes=30)))
    assert (run.ending, run.caught) == (Ending.HELD, None)


def test_a_watch_without_holdback_has_nothing_to_compare() -> None:
    assert [stage.watch for stage in scene(rollout={"watch": {"duration": "1h", "holdback": 0}}).stages] == [False] * 3


def test_worse_faults_are_caught_with_fewer_requests() -> None:
    found = forecast(scene(rollout={"watch": {"duration": "0s"}}), runs=40, seed=1, advanced=lambda: None)
    for caught in found.caught:
        requests = [one.requests[0] for one in caught]
        assert requests == sorted(requests, reverse=True)
        assert all(one.usual for one in caught)
    assert len(found.caught[0]) == len(FAULTS)


def test_the_bound_on_false_rollbacks_is_exact() -> None:
    ended = {"ends": [], "evident": None}
    for rolled_back, expected in ((0, 0.0295), (5, 0.1023), (100, 1.0)):
        runs = [SimpleNamespace(ending=Ending.ROLLED_BACK if number < rolled_back else Ending.PROMOTED, **ended) for number in range(100)]
        found = forecast(scene(rollout={"watch": {"duration": "0s"}}), runs=1, seed=1, advanced=lambda: None)
        object.__setattr__(found, "runs", tuple(runs))
        assert found.false_rollbacks_at_most == pytest.approx(expected, abs=1e-4)
