"""Following an alias of a registry: what starts, what a registry that cannot be read must not change, and what it is told."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Phase, Rendered
from headgate_operator.rollout.observed import Wanted
from headgate_operator.rollout.resolve import resolve
from headgate_operator.rollout.revision import revision_id, revision_inputs
from headgate_operator.rollout.upstream import RegistryAnswer, RegistryReport

REGISTRY = {"name": "flight-delay", "alias": "candidate", "promotedAlias": "champion", "trackingURI": "http://mlflow.mlflow:5000"}


class Followed:
    """Mixed into the world: its manifest follows an alias of a registry that does what the test says."""

    def __init__(self, **registry):
        super().__init__()
        self.registry = REGISTRY | registry
        self.points_to = 1
        self.exported_to = {}
        self.down = None
        self.asked = True
        self.refuses = None
        self.written = []
        self.registry_answers = ()

    @property
    def spec(self):
        registry = {name: value for name, value in self.registry.items() if value is not None}
        model = {"registry": registry, "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
        return ModelDeploymentSpec.model_validate({"model": model, **self.manifest})

    @property
    def report(self):
        if not self.asked:
            return None
        about = RegistryReport(tracking_uri=self.registry["trackingURI"], name="flight-delay", alias=self.registry["alias"])
        if self.down is not None:
            return replace(about, error=self.down)
        return replace(about, version=str(self.points_to), uri=self.uri_of(self.points_to))

    def uri_of(self, version):
        return self.exported_to.get(version, f"s3://models/flight-delay/{version}-abc")

    def id_of(self, version):
        return revision_id(revision_inputs(self.spec, uri=self.uri_of(version)))

    @property
    def wanted(self):
        model = resolve(self.spec.model, self.status.registry, self.report)
        inputs = revision_inputs(self.spec, uri=model.uri)
        revision = revision_id(inputs)
        rendered = None if model.problem else Rendered(inference_service={"revision": revision}, serving_runtime={})
        return Wanted(
            id=revision, inputs=inputs, model_uri=model.uri, version=model.version, isvc=f"flight-delay-{revision[1:]}",
            rendered=rendered, problem=model.problem, registry_version=model.version if model.from_registry else None,
        )  # fmt: skip

    def observe(self):
        return replace(super().observe(), registry=self.report, registry_answers=self.registry_answers)

    def carry_out(self, decision):
        super().carry_out(decision)
        self.registry_answers = ()
        for write in decision.registry_writes:
            self.written.append((self.now, write))
            self.registry_answers = (*self.registry_answers, RegistryAnswer(write=write, error=self.refuses))

    def pass_and_wait(self):
        waited = super().pass_and_wait()
        return timedelta(0) if self.registry_answers else waited

    @property
    def champion(self):
        return [write.version for _, write in self.written if write.alias == "champion"]

    @property
    def tags(self):
        """What the registry was told of each version, in order."""
        told = [(write.version, dict(write.tags)) for _, write in self.written if write.tags]
        return [(version, tags["headgate.status"], tags["headgate.reason"]) for version, tags in told]


@pytest.fixture
def followed(make_world):
    """A world whose manifest follows an alias; its arguments are fields of `model.registry`."""
    return type("FollowedWorld", (Followed, make_world), {})


@pytest.fixture
def serving_one(followed):
    world = followed()
    world.run()
    assert world.phase is Phase.HEALTHY
    return world


def canary(world, version=2):
    """That version has its first weight."""
    world.points_to = version
    return world.run(lambda world: world.weights.get(world.id_of(version), 0) > 0)


def until_over(world):
    return world.run(lambda world: world.status.candidate is None and world.phase in (Phase.HEALTHY, Phase.ROLLED_BACK))


def test_nothing_starts_before_the_alias_was_looked_up_and_nobody_is_alarmed(followed):
    world = followed()
    world.asked = False
    world.run_for(20)
    assert not world.pods
    assert world.condition("Reconciling") == Reason.RESOLVING_ALIAS
    assert world.condition("Stalled") is None
    world.asked = True
    world.run()
    assert world.status.stable.version == "1", "the registry's version, not a part of the URI"
    assert world.status.stable.model_uri == "s3://models/flight-delay/1-abc"
    assert (world.status.registry.alias, world.status.registry.version) == ("candidate", "1")


def test_a_registry_that_was_never_read_stalls_and_starts_nothing(followed):
    world = followed()
    world.down = "it is down"
    world.run_for(120)
    assert not world.pods
    assert world.condition("Stalled") == Reason.REGISTRY_UNAVAILABLE
    assert world.said(Reason.REGISTRY_UNAVAILABLE) == 1
    world.down = None
    world.run()
    assert world.phase is Phase.HEALTHY


def test_a_moved_alias_is_rolled_out_and_the_registry_is_told(serving_one):
    world = serving_one
    canary(world)
    until_over(world)
    assert world.status.stable.version == "2"
    assert world.said(Reason.ALIAS_MOVED) == 1
    assert world.champion == ["1", "2"]
    assert world.tags == [("1", "Promoted", "Promoted"), ("2", "Promoted", "Promoted")]
    assert [key for key, _ in world.written[-1][1].tags][-1] == "headgate.status", "whoever reads it finds the rest in place"


@pytest.mark.parametrize("silence", ["down", "not asked yet"])
def test_a_registry_that_cannot_be_read_stops_no_rollout_and_ends_no_watch(serving_one, silence):
    world = serving_one
    canary(world)
    if silence == "down":
        world.down = "it answers nonsense"
    else:
        world.asked = False  # an operator that has just started
    until_over(world)
    assert world.status.stable.version == "2"
    assert world.said(Reason.SUPERSEDED) == world.said(Reason.CANCELLED) == world.said(Reason.WATCH_SUPERSEDED) == 0
    assert world.said(Reason.WATCH_ENDED) == 1
    if silence == "down":
        assert world.condition("RegistryAvailable") == Reason.REGISTRY_UNAVAILABLE
        assert world.said(Reason.REGISTRY_UNAVAILABLE) == 1


def test_a_manifest_that_follows_another_alias_of_a_silent_registry_withdraws_nothing(serving_one):
    world = serving_one
    canary(world)
    world.down = "it is down"
    world.registry["alias"] = "staging"
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert world.status.stable.version == "2"
    until_stalled = world.run(lambda world: world.condition("Stalled") is not None)
    assert until_stalled.condition("Stalled") == Reason.REGISTRY_UNAVAILABLE


def test_an_alias_that_goes_back_takes_the_fast_track(serving_one):
    world = serving_one
    canary(world)
    until_over(world)
    world.points_to = 1
    world.run(lambda world: world.status.stable.version == "1")
    assert world.said(Reason.KNOWN_GOOD) == 1
    until_over(world)
    assert world.champion == ["1", "2", "1"]


def test_a_refused_version_is_tagged_with_the_reason_and_never_the_champion(serving_one):
    world = serving_one
    world.points_to = 2
    world.behave(2, bad=1.0)
    world.run(lambda world: world.status.rejected)
    world.run()
    assert world.champion == ["1"]
    assert world.tags[-1] == ("2", "Rejected", str(Reason.ALL_FAILING))


def test_a_version_refused_in_its_watch_loses_the_alias_to_the_one_that_serves_again(serving_one):
    world = serving_one
    canary(world)
    world.run(lambda world: world.phase is Phase.WATCHING)
    world.behave(2, bad=1.0)
    world.run(lambda world: world.status.rejected)
    world.run()
    assert world.champion == ["1", "2", "1"]
    assert world.tags[-1][:2] == ("2", "Rejected")


def test_a_registry_that_refuses_to_be_written_is_told_of_once_and_asked_again_ever_more_seldom(serving_one):
    world = serving_one
    world.refuses = "HTTP 403"
    canary(world)
    until_over(world)
    assert world.status.stable.version == "2", "nothing waits for it"
    world.run_for(3600)
    times = [at for at, write in world.written if write.version == "2" and write.alias]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert pauses[0] >= 10
    assert 590 <= pauses[-1] <= 700
    assert world.said(Reason.REGISTRY_WRITE_FAILED) == 2, "once for the alias, once for the tags"
    world.refuses = None
    world.run_for(1300)
    assert [mark.failures for mark in world.status.registry.marks if mark.version == "2"] == [0, 0]
    told = len(world.written)
    world.run_for(3600)
    assert len(world.written) == told, "what was acknowledged is not written again"


def test_a_settled_object_is_not_written(serving_one):
    world = serving_one
    before = world.writes
    world.run_for(600)
    assert world.writes == before


def test_without_a_promoted_alias_only_tags_are_written(followed):
    world = followed(promotedAlias=None)
    world.run()
    assert not world.champion
    assert world.tags == [("1", "Promoted", "Promoted")]


def test_another_version_of_the_very_same_model_is_no_rollout_but_is_marked_as_what_it_is(serving_one):
    world = serving_one
    world.exported_to[2] = world.uri_of(1)
    stable = world.status.stable.id
    world.points_to = 2
    world.run_for(60)
    assert world.status.stable.id == stable
    assert world.status.candidate is None
    assert world.champion == ["1", "2"]


def test_a_manifest_that_goes_back_to_a_uri_forgets_the_registry(serving_one):
    world = serving_one
    spec = world.spec.model_copy(update={"model": world.spec.model.model_copy(update={"registry": None, "uri": world.uri_of(1)})})
    type(world).spec = property(lambda _: spec)
    world.run()
    assert world.status.registry is None
    assert world.condition("RegistryAvailable") is None
    assert world.phase is Phase.HEALTHY
