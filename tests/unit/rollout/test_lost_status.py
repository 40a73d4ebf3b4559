"""The status is gone, the route is not: what was refused stays refused, and what was stable stays stable."""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ModelDeploymentStatus, Phase, Rendered


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


AS_IT_RUNS = Rendered(
    inference_service={"spec": {"predictor": {"model": {"storageUri": "s3://models/flight-delay/1"}}}},
    serving_runtime={"by": "an older release"},
)


def remember_children(world, monkeypatch):
    """What runs was rendered by an older release: today's would render it differently."""
    observe = world.observe

    def observed():
        seen = observe()
        return replace(seen, services={name: replace(service, rendered=AS_IT_RUNS) for name, service in seen.services.items()})

    monkeypatch.setattr(world, "observe", observed)


def test_stable_is_pinned_as_it_runs_and_not_as_this_release_would_render_it(serving, monkeypatch):
    remember_children(serving, monkeypatch)
    forget(serving)
    serving.step()
    (entry,) = serving.status.history
    assert entry.rendered == AS_IT_RUNS
    assert entry.inputs == serving.wanted.inputs


def test_stable_is_pinned_from_its_children_although_the_manifest_names_another(serving, monkeypatch):
    first, second = serving.id_of(1), serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    remember_children(serving, monkeypatch)
    forget(serving)
    serving.step()
    (entry,) = serving.status.history
    assert (entry.id, entry.rendered, entry.inputs) == (first, AS_IT_RUNS, {})
    assert (serving.status.stable.model_uri, serving.status.stable.version) == ("s3://models/flight-delay/1", "1")
    serving.pods.clear()
    serving.run()
    assert serving.weights == {first: 100}
    assert [one.id for one in serving.status.rejected] == [second]
    serving.apply(1)
    serving.run()
    assert serving.status.history[0].inputs == serving.wanted.inputs
    assert serving.phase is Phase.HEALTHY


def test_children_that_belong_to_somebody_else_tell_nothing_about_stable(serving, monkeypatch):
    remember_children(serving, monkeypatch)
    serving.pods[serving.isvc_of(1)].ours = False
    forget(serving)
    serving.step()
    assert serving.status.history == []
