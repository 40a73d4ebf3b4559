"""The manifest changes while something is under way."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def test_a_new_revision_ends_the_watch_and_waits_for_the_slot(serving):
    serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    third = serving.apply(3)
    serving.run()
    assert serving.said(Reason.WATCH_SUPERSEDED) == 1
    assert serving.weights == {third: 100}
    assert serving.phase is Phase.HEALTHY


def test_the_previous_version_in_the_manifest_during_the_watch_is_a_rollback_at_once(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    first = serving.apply(1)
    serving.step()
    assert serving.weights == {first: 100}
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert serving.status.rejected == [], "nobody has shown it to be bad"
    assert second not in [entry.id for entry in serving.status.history], "nor good: it would need a canary"


def test_a_known_good_version_takes_over_although_stable_is_broken(serving):
    serving.apply(2)
    serving.run()
    serving.pods[serving.isvc_of(2)].broken = True
    serving.pass_time(serving.startup)
    first = serving.apply(1)
    serving.run(lambda world: world.weights == {first: 100})
    assert serving.status.previous is None, "no holdback for the version somebody wants gone"


def test_a_known_good_version_must_still_answer_as_it_was_trained(serving):
    serving.apply(2)
    serving.run()
    serving.behave(1, mismatch="another library")
    first = serving.apply(1)
    serving.run()
    assert serving.weights == {serving.id_of(2): 100}
    assert serving.status.rejected[0].id == first
    assert first not in [entry.id for entry in serving.status.history], "asked for again, it would need a canary"


def test_scaling_starts_no_canary(serving):
    before = serving.status.stable
    serving.apply(1, predictor={"replicas": {"min": 3, "max": 5}})
    serving.run()
    assert serving.status.stable == before
    assert serving.pods[serving.isvc_of(1)].min_replicas == 3


def test_a_default_written_out_starts_no_canary(serving):
    before = serving.status.stable.id
    serving.apply(1, predictor={"args": []})
    assert serving.wanted.id != before
    serving.run()
    assert serving.status.stable.id == before
    assert serving.said(Reason.CANDIDATE_STARTED) == 1


def test_a_missing_runtime_starts_nothing_and_calls_a_person(serving):
    serving.problem = (Reason.RUNTIME_MISSING, "there is no serving runtime headgate-xgboost")
    serving.apply(2)
    serving.run_for(120)
    assert serving.condition("Stalled") == Reason.RUNTIME_MISSING
    assert list(serving.pods) == [serving.isvc_of(1)]
    assert serving.condition("Ready") == Reason.HEALTHY


def test_a_revision_that_cannot_start_does_not_end_the_watch(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.problem = (Reason.RUNTIME_MISSING, "there is no serving runtime headgate-xgboost")
    serving.apply(3)
    serving.run_for(30)
    assert serving.weights == {second: 95, serving.id_of(1): 5}
    assert serving.condition("Reconciling") == Reason.WATCHING


def test_a_runtime_deleted_later_does_not_concern_what_is_pinned(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.problem = (Reason.RUNTIME_MISSING, "gone")
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.condition("Stalled") is None


def test_a_schedule_that_became_shorter_promotes_from_where_the_candidate_is(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 50)
    serving.apply(2, rollout=serving.manifest["rollout"] | {"steps": [{"weight": 10, "minDuration": "15s"}]})
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.said(Reason.PROMOTED) == 1


def test_many_newer_revisions_in_a_row_leave_one_candidate_and_no_litter(serving):
    for version in range(2, 7):
        revision = serving.apply(version)
        serving.run(lambda world, revision=revision: world.weights.get(revision) == 10)
        assert len(serving.pods) <= 3
    serving.run()
    assert serving.weights == {serving.id_of(6): 100}
    assert list(serving.pods) == [serving.isvc_of(6)]


def test_a_newer_revision_starts_only_when_the_old_candidate_has_left_the_route(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 10)
    serving.gateway_up = False
    serving.apply(3)
    serving.run_for(300)
    assert serving.isvc_of(3) not in serving.pods
    assert serving.condition("Reconciling") == Reason.WAITING_FOR_SLOT
    serving.gateway_up = True
    serving.run()
    assert serving.weights == {serving.id_of(3): 100}
