"""From the first revision to a promotion or a refusal, in milliseconds."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def test_the_first_revision_serves_everything_once_ready_and_checked(world):
    world.run()
    first = world.id_of(1)
    assert world.phase is Phase.HEALTHY
    assert world.weights == {first: 100}
    assert [entry.id for entry in world.status.history] == [first]
    assert world.said(Reason.FIRST_PROMOTED) == 1


def test_a_good_version_is_promoted_through_its_steps_and_its_watch(serving):
    second = serving.apply(2)
    weights = []
    serving.run(lambda world: weights.append(world.weights.get(second, 0)) or world.status.previous is not None)
    assert sorted(set(weights)) == [0, 10, 25, 50, 95]
    serving.run(lambda world: world.phase is Phase.WATCHING)
    assert serving.weights == {second: 95, serving.id_of(1): 5}
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.weights == {second: 100}
    assert list(serving.pods) == [serving.isvc_of(2)]
    assert serving.said(Reason.PROMOTED) == 1
    assert serving.said(Reason.WATCH_ENDED) == 1


def test_a_version_with_errors_is_refused_and_stable_keeps_serving(serving):
    second = serving.apply(2)
    serving.behave(2, bad=0.08)
    serving.run()
    assert serving.phase is Phase.ROLLED_BACK
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].reason == Reason.ERRORS_WORSE
    assert "%" in serving.status.rejected[0].message
    assert serving.status.rejected[0].id == second
    assert serving.condition("Ready") == Reason.HEALTHY
    assert serving.condition("Stalled") == Reason.CANDIDATE_REJECTED


def test_a_version_with_other_answers_is_refused_before_its_first_request(serving):
    second = serving.apply(2)
    serving.behave(2, mismatch="probability differs in 50 of 50 rows")
    serving.run()
    assert serving.status.rejected[0].reason == Reason.PARITY_MISMATCH
    assert serving.served.get(second, 0) == 0


def test_a_newer_revision_supersedes_the_candidate(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25)
    third = serving.apply(3)
    serving.run()
    assert serving.weights == {third: 100}
    assert serving.said(Reason.SUPERSEDED) == 1
    assert serving.status.rejected == []


def test_going_back_to_stable_cancels_the_candidate(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.apply(1)
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.said(Reason.CANCELLED) == 1
    assert list(serving.pods) == [serving.isvc_of(1)]


def test_a_revision_from_the_history_takes_over_without_a_canary(serving):
    serving.apply(2)
    serving.run()
    first = serving.apply(1)
    seen = set()
    serving.run(lambda world: seen.add(world.weights.get(first, 0)) or False)
    assert seen == {0, 100}
    assert serving.said(Reason.KNOWN_GOOD) == 1


def test_the_evidence_of_the_watch_brings_the_previous_version_back(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.behave(2, bad=0.3)
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second
    assert serving.said(Reason.ROLLED_BACK) == 1
    assert [entry.id for entry in serving.status.history] == [serving.id_of(1)]


def test_a_refused_revision_stays_refused_when_the_manifest_comes_back_to_it(serving):
    second = serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    serving.apply(1)
    serving.run()
    assert serving.phase is Phase.HEALTHY
    serving.apply(2)
    serving.run()
    assert serving.phase is Phase.ROLLED_BACK
    assert serving.status.candidate is None
    assert [entry.id for entry in serving.status.rejected] == [second]
