"""The status is gone, the route is not: what was refused stays refused, and what was stable stays stable."""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ModelDeploymentStatus, Phase


def forget(world):
    world.status = ModelDeploymentStatus()


def test_a_refused_revision_is_not_taken_for_a_first_one(serving):
    second = serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    forget(serving)
    serving.behave(2)
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.phase is Phase.ROLLED_BACK
    assert [entry.id for entry in serving.status.rejected] == [second]
    assert serving.said(Reason.STATE_LOST) == 1
    assert list(serving.pods) == [serving.isvc_of(1)], "what nobody refers to any more is deleted"


def test_a_candidate_under_way_starts_its_canary_afresh(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 50)
    forget(serving)
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.said(Reason.PROMOTED) == 1


def test_a_lost_status_while_nothing_is_under_way_only_loses_the_history(serving):
    forget(serving)
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.weights == {serving.id_of(1): 100}
    assert [entry.id for entry in serving.status.history] == [serving.id_of(1)]


def test_during_the_watch_the_promoted_version_stays_stable_and_the_previous_one_drains(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    forget(serving)
    serving.run()
    assert serving.weights == {second: 100}
    assert list(serving.pods) == [serving.isvc_of(2)]


def test_a_route_that_does_not_say_who_is_stable_is_left_alone_and_a_person_is_called(serving):
    serving.apply(2)
    serving.route = replace(serving.route, stable_id=None)
    before = serving.route
    forget(serving)
    serving.run_for(120)
    assert serving.condition("Stalled") == Reason.STATE_LOST
    assert serving.route == before
    assert list(serving.pods) == [serving.isvc_of(1)]


def test_an_unknown_rendering_is_never_replaced_by_a_guess(serving):
    serving.apply(2)
    serving.behave(2, mismatch="different")
    forget(serving)
    decision = serving.step()
    assert serving.isvc_of(1) not in {service.isvc for service in decision.services}


def test_a_lost_rendering_whose_service_is_gone_needs_a_person_who_is_told_what_to_do(serving):
    serving.apply(2)
    forget(serving)
    serving.pods.clear()
    serving.run_for(60)
    assert serving.condition("Stalled") == Reason.STATE_LOST
    first = serving.apply(1)
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.weights == {first: 100}
