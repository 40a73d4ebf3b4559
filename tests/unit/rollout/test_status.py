"""What is written: nothing without a change, times that are kept, conditions that other tools understand."""

from dataclasses import replace
from datetime import timedelta

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ConditionStatus, Phase
from headgate_operator.rollout.decide import decide


def condition(world, kind):
    return next(condition for condition in world.status.conditions if condition.type == kind)


def test_a_settled_pass_writes_nothing_and_asks_for_nothing(serving):
    serving.pass_time(timedelta(days=1))
    decision = decide(serving.observe())
    assert decision.status == serving.status
    assert decision.notes == ()
    assert decision.delete == ()
    assert decision.requeue_after is None


def test_a_second_pass_at_the_same_instant_writes_nothing_at_any_point_of_a_rollout(serving):
    serving.apply(2)

    def settled_within_few_passes(world):
        for _ in range(8):
            before = world.writes
            world.step()
            if world.writes == before:
                break
        assert world.writes == before
        return world.phase is Phase.HEALTHY and world.status.stable.id == world.id_of(2) and not world.status.draining

    serving.run(settled_within_few_passes)


def test_every_unsettled_state_has_a_time_to_look_again(serving):
    serving.apply(2)
    for _ in range(300):
        decision = serving.step()
        status = decision.status
        if status.candidate or status.previous or status.draining:
            assert decision.requeue_after is not None
        serving.pass_time(decision.requeue_after or timedelta(seconds=1))


def test_a_moving_rollout_is_reconciling_and_a_settled_one_is_not(serving):
    assert serving.condition("Reconciling") is None
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25)
    assert condition(serving, "Reconciling").status is ConditionStatus.TRUE
    assert serving.condition("Stalled") is None
    serving.run()
    assert serving.condition("Reconciling") is None


def test_a_route_that_the_gateway_refuses_is_told_although_nothing_moves(serving):
    accepted = serving.route
    serving.route = replace(accepted, accepted=False)
    decision = serving.step()
    assert (serving.condition("Reconciling"), serving.phase) == (Reason.ROUTE_PENDING, Phase.PROGRESSING)
    assert decision.requeue_after is not None
    serving.route = accepted
    serving.step()
    assert (serving.condition("Reconciling"), serving.phase) == (None, Phase.HEALTHY)


def test_ready_keeps_its_transition_time_through_a_whole_rollout(serving):
    since = condition(serving, "Ready").last_transition_time
    serving.apply(2)
    serving.run()
    assert condition(serving, "Ready").last_transition_time == since


def test_every_condition_speaks_of_the_generation_it_was_made_from(serving):
    serving.apply(2)
    serving.run()
    assert {entry.observed_generation for entry in serving.status.conditions} == {serving.generation}
    assert serving.status.observed_generation == serving.generation


def test_candidate_accepted_says_what_became_of_the_wanted_revision(serving):
    assert condition(serving, "CandidateAccepted").status is ConditionStatus.TRUE
    serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.step()
    assert condition(serving, "CandidateAccepted").status is ConditionStatus.UNKNOWN
    serving.run()
    accepted = condition(serving, "CandidateAccepted")
    assert (accepted.status, accepted.reason) == (ConditionStatus.FALSE, Reason.PARITY_MISMATCH)


def test_traffic_is_what_the_route_carries_not_what_was_decided(serving):
    second = serving.apply(2)
    serving.gateway_up = False
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.step()
    assert [(entry.id, entry.weight) for entry in serving.status.traffic] == [(serving.id_of(1), 100)]


def test_traffic_shows_the_requests_that_were_counted(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25)
    requests = {entry.id: entry.requests for entry in serving.status.traffic}
    assert 0 < requests[second] < requests[serving.id_of(1)]


def test_a_history_of_large_revisions_keeps_the_newest_that_fit_and_always_the_one_to_go_back_to(serving):
    serving.manifest["rollout"] |= {"historyLimit": 10}
    for version in range(2, 12):
        serving.manifest["predictor"] = {"env": [{"name": "CONFIG", "value": "x" * 30_000}]}
        revision = serving.apply(version)
        serving.run(lambda world, revision=revision: world.status.stable.id == revision and world.status.previous is None)
        assert serving.status.history[0].id == revision
        assert len(serving.status.history) >= 2
        assert len(serving.status.model_dump_json()) < 200_000
    assert len(serving.status.history) == 3


def test_lists_in_status_are_bounded(serving):
    for version in range(2, 30):
        serving.apply(version)
        serving.behave(version, mismatch="different")
        serving.run()
    assert len(serving.status.rejected) == 20
    assert len(serving.status.model_dump_json()) < 200_000
