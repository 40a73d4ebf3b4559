"""`rollback@` returns from the stable revision to the one before it, and keeps the manifest from bringing it back."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def settled_at_two(world):
    second = world.apply(2)
    world.run()
    assert world.phase is Phase.HEALTHY
    return second


def test_during_the_watch_it_returns_at_once(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.command = f"rollback@{second}"
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert [(entry.id, entry.reason) for entry in serving.status.rejected] == [(second, Reason.ROLLED_BACK)]


def test_later_it_starts_what_the_history_has_pinned_and_refuses_what_it_left(serving):
    second = settled_at_two(serving)
    serving.golden_missing = "the golden set is that of version 2"
    serving.command = f"rollback@{second}"
    serving.step()
    assert serving.weights == {second: 100}
    assert serving.status.rejected == []
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert [(entry.id, entry.reason) for entry in serving.status.rejected] == [(second, Reason.ROLLED_BACK)]
    assert serving.phase is Phase.ROLLED_BACK
    assert [entry.id for entry in serving.status.history] == [serving.id_of(1)]
    assert list(serving.pods) == [serving.isvc_of(1)]


def test_the_version_that_serves_goes_on_serving_until_the_earlier_one_is_ready(serving):
    second = settled_at_two(serving)
    serving.command = f"rollback@{second}"
    serving.step()
    serving.pods[serving.isvc_of(1)].broken = True
    serving.run_for(3_600)
    assert serving.weights == {second: 100}
    assert serving.condition("Stalled") == Reason.CANDIDATE_NOT_READY


def test_a_candidate_under_way_makes_room_and_starts_over_afterwards(serving):
    second = settled_at_two(serving)
    third = serving.apply(3)
    serving.run(lambda world: world.weights.get(third) == 25)
    serving.command = f"rollback@{second}"
    serving.step()
    assert serving.weights == {second: 100}
    serving.run(lambda world: world.weights == {world.id_of(1): 100})
    serving.run()
    assert serving.weights == {third: 100}
    assert [entry.id for entry in serving.status.rejected] == [second]


def test_a_new_manifest_meanwhile_waits_for_the_way_back(serving):
    second = settled_at_two(serving)
    serving.command = f"rollback@{second}"
    serving.step()
    third = serving.apply(3)
    serving.step()
    assert serving.status.candidate.id == serving.id_of(1)
    serving.run()
    assert serving.weights == {third: 100}


def test_without_an_earlier_revision_nothing_happens(serving):
    serving.command = f"rollback@{serving.id_of(1)}"
    serving.step()
    assert "no earlier revision" in serving.status.last_command.result
    serving.run()
    assert serving.phase is Phase.HEALTHY


def test_a_refused_revision_is_never_returned_to(serving):
    second = settled_at_two(serving)
    serving.command = f"rollback@{second}"
    serving.run()
    serving.command = f"rollback@{serving.id_of(1)}"
    serving.step()
    assert "no earlier revision" in serving.status.last_command.result


def test_only_the_stable_revision_is_rolled_back(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.command = f"rollback@{second}"
    serving.step()
    assert "abort@" in serving.status.last_command.result
    assert serving.weights[second] == 10


def test_retry_after_a_rollback_starts_a_whole_canary(serving):
    second = settled_at_two(serving)
    serving.command = f"rollback@{second}"
    serving.run()
    serving.command = f"retry@{second}"
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.run()
    assert serving.weights == {second: 100}


def test_asked_twice_it_goes_back_once(serving):
    second = settled_at_two(serving)
    serving.command = f"rollback@{second}"
    serving.step()
    serving.step()
    serving.command = f"rollback@{second}"
    serving.step()
    assert "already" in serving.status.last_command.result
