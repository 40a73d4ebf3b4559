"""Replica bounds and what the autoscaler aims at belong to the object, not to a revision."""


def test_what_the_autoscaler_aims_at_reaches_every_version_and_starts_no_new_one(serving):
    world = serving
    world.apply(2)
    world.run(lambda world: len(world.weights) == 2)
    before = {world.status.stable.id, world.status.candidate.id}
    world.apply(2, predictor={"replicas": {"metric": "memory", "target": 60}})
    decision = world.step()
    assert {service.revision for service in decision.services} == before
    assert {(service.scale_metric, service.scale_target) for service in decision.services} == {("memory", 60)}


def test_a_provider_that_fails_in_other_words_each_time_is_written_once(serving):
    world = serving
    world.apply(2)
    world.run(lambda world: len(world.weights) == 2)
    world.provider_error = "http://proxy did not answer: timeout"
    world.run(lambda world: world.condition("AnalysisAvailable") == "ProviderError")
    world.run_for(40)
    told = [condition.message for condition in world.status.conditions]
    writes = world.writes
    for words in ("connection reset", "HTTP 503", "timeout"):
        world.provider_error = f"http://proxy did not answer: {words}"
        world.run_for(20)
    assert [condition.message for condition in world.status.conditions] == told
    assert world.writes == writes
