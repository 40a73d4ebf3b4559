"""Holds: weights stay, a condition says why, and after holdTimeout a person is called. Nothing is rolled back for lack of knowledge."""

from dataclasses import replace
from datetime import timedelta

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import ParityAnswer


def at_weight(world, weight, version=2):
    revision = world.apply(version)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def test_a_provider_outage_holds_the_weights_and_ends_without_a_trace(serving):
    second = at_weight(serving, 25)
    serving.provider_error = "http://proxy does not answer"
    serving.run_for(600)
    assert serving.weights[second] == 25
    assert serving.phase is Phase.HOLDING
    assert serving.condition("AnalysisAvailable") == Reason.PROVIDER_ERROR
    assert serving.said(Reason.PROVIDER_ERROR) == 1
    serving.provider_error = None
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.weights == {second: 100}


def test_a_hold_beyond_its_timeout_calls_a_person_and_keeps_the_weights(serving):
    second = at_weight(serving, 25)
    serving.provider_error = "http://proxy does not answer"
    serving.run_for(3_700)
    assert serving.phase is Phase.STALLED
    assert serving.condition("Stalled") == Reason.HOLD_TIMEOUT
    assert serving.condition("Reconciling") is None
    assert serving.said(Reason.HOLD_TIMEOUT) == 1
    assert serving.weights[second] == 25
    serving.provider_error = None
    serving.run()
    assert serving.weights == {second: 100}


def test_a_hold_that_ends_starts_its_time_anew_when_it_comes_back(serving):
    second = at_weight(serving, 10)
    serving.provider_error = "down"
    serving.run_for(60)
    began = serving.status.candidate.hold_since
    serving.provider_error = None
    serving.run(lambda world: world.weights[second] == 25)
    assert serving.status.candidate.hold_since is None
    serving.provider_error = "down"
    serving.run_for(60)
    assert serving.status.candidate.hold_since > began


def test_too_few_requests_hold_the_step(serving):
    second = at_weight(serving, 10)
    serving.rate = 0.1
    serving.run_for(1_200)
    assert serving.weights[second] == 10
    assert serving.condition("Reconciling") == Reason.INSUFFICIENT_DATA
    assert serving.phase is Phase.PROGRESSING


def test_a_golden_set_that_is_named_but_absent_holds_before_any_traffic(serving):
    serving.golden_missing = "there is no ConfigMap golden in namespace ml"
    second = serving.apply(2)
    serving.run_for(120)
    assert serving.phase is Phase.HOLDING
    assert serving.condition("Reconciling") == Reason.GOLDEN_MISSING
    assert second not in serving.weights
    serving.golden_missing = None
    serving.run()
    assert serving.weights == {second: 100}


def test_required_parity_without_a_named_golden_set_holds(serving):
    second = serving.apply(2, parity={"mode": "Required"})
    serving.run_for(120)
    assert serving.condition("Reconciling") == Reason.GOLDEN_MISSING
    assert second not in serving.weights


def test_parity_is_skipped_when_nobody_asks_for_it(make_world):
    for parity in ({"mode": "Off", "golden": {"configMap": "golden"}}, {"mode": "IfPresent"}, {}):
        world = make_world(parity=parity)
        world.golden_missing = "not asked"
        world.run()
        assert world.phase is Phase.HEALTHY


def test_a_candidate_that_does_not_start_calls_a_person_and_goes_on_when_it_does(serving):
    serving.startup = timedelta(minutes=40)
    second = serving.apply(2)
    serving.run_for(60)
    assert serving.phase is Phase.PROGRESSING
    serving.run_for(1_800)
    assert serving.condition("Stalled") == Reason.CANDIDATE_NOT_READY
    assert serving.weights == {serving.id_of(1): 100}
    serving.startup = timedelta(seconds=2)
    serving.run()
    assert serving.weights == {second: 100}


def test_a_gateway_that_accepts_nothing_holds_every_further_step(serving):
    serving.gateway_up = False
    second = serving.apply(2)
    serving.run_for(300)
    assert serving.weights[second] == 10, "written once"
    assert serving.status.candidate.step == 0
    assert serving.status.candidate.step_started_at is None
    assert serving.status.analysis is None


def test_a_stable_version_that_is_gone_holds_the_candidate_and_nothing_is_promoted_on_its_failures(serving):
    second = at_weight(serving, 50)
    stable = serving.pods[serving.isvc_of(1)]
    stable.broken = True
    serving.run_for(60)
    before = serving.status
    serving.run_for(300)
    assert serving.status == before, "nothing is counted, nothing is written"
    assert serving.condition("Reconciling") == Reason.STABLE_UNAVAILABLE
    assert serving.condition("Ready") == Reason.STABLE_UNAVAILABLE
    assert serving.said(Reason.STABLE_UNAVAILABLE) >= 1
    assert serving.weights == {serving.id_of(1): 50, second: 50}
    stable.broken = False
    serving.run()
    assert serving.weights == {second: 100}


def test_bad_evidence_does_not_send_traffic_back_to_a_stable_version_that_is_gone(serving):
    second = at_weight(serving, 50)
    serving.behave(2, bad=0.5)
    serving.pods[serving.isvc_of(1)].broken = True
    serving.run_for(300)
    assert serving.weights[second] == 50
    serving.pods[serving.isvc_of(1)].broken = False
    serving.run()
    assert serving.status.rejected[0].id == second


def test_a_step_that_asks_for_nothing_still_promotes_only_on_evidence(make_world):
    world = make_world(rollout={"steps": [{"weight": 50, "minDuration": "1s", "minRequests": 0}], "watch": {"duration": "0s"}})
    world.rate = 4.0
    world.run()
    second = at_weight(world, 50)
    world.run_for(60)
    assert world.weights[second] == 50
    assert world.condition("Reconciling") == Reason.INSUFFICIENT_DATA
    world.run()
    assert world.weights == {second: 100}


def test_the_watch_lasts_from_when_the_gateway_carries_it(serving):
    second = at_weight(serving, 50)
    serving.run(lambda world: world.status.previous is not None, limit=200)
    serving.gateway_up = False
    serving.route = replace(serving.route, accepted=False)
    serving.run_for(600)
    assert serving.phase is Phase.PROMOTING
    assert serving.status.previous is not None
    serving.gateway_up = True
    serving.run(lambda world: world.phase is Phase.WATCHING)
    assert serving.weights[second] == 95


def test_an_answer_about_another_revision_proves_nothing(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.status.candidate is not None)
    stale = ParityAnswer(revision=serving.id_of(1), golden="sha256:00", mismatch="different")
    for answer in (stale, replace(stale, mismatch=None)):
        candidate = decide(replace(serving.observe(), parity=answer)).status.candidate
        assert candidate is not None
        assert candidate.id == second
        assert candidate.parity is None
