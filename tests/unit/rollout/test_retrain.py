"""When a training run is started, that it is started once, and what is told of it."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase, RunState, Signal
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import DriftReport, Finding
from headgate_operator.rollout.settled import settled
from headgate_operator.rollout.upstream import RunAnswer, RunReport

STALE = Finding(signal=Signal.SEVERE, message="temp has drifted for 3 windows")
PIPELINE = {"endpoint": "http://ml-pipeline.kubeflow:8888", "name": "flights-training", "parameters": {"rows": "all"}}


@pytest.fixture
def watched(make_world):
    """Version 1 serves under a monitor, with a pipeline to train another one; the function sets fields of `retraining`."""

    class Watched(make_world):
        def __init__(self, **retraining):
            super().__init__(drift={}, retraining={"pipeline": PIPELINE} | retraining)
            self.requests = []
            self.run_answers = ()
            self.refuses = None
            self.runs = {}
            """What Kubeflow Pipelines has, by display name: id and state."""

        def observe(self):
            run = self.status.retraining.last_run_id if self.status.retraining is not None else None
            state = next((state for id_, state in self.runs.values() if id_ == run), None)
            report = RunReport(run_id=run, state=state) if run is not None else None
            return replace(super().observe(), run=report, run_answers=self.run_answers)

        def carry_out(self, decision):
            super().carry_out(decision)
            self.run_answers = ()
            request = decision.run
            if request is None:
                return
            self.requests.append((self.now, request))
            assert self.status.retraining.last_trigger == request.display_name, "on record before it is asked for"
            if self.refuses is not None:
                self.run_answers = (RunAnswer(request=request, error=self.refuses),)
                return
            id_, _ = self.runs.setdefault(request.display_name, (f"run-{len(self.runs) + 1}", RunState.RUNNING))
            self.run_answers = (RunAnswer(request=request, run_id=id_),)

        def pass_and_wait(self):
            waited = super().pass_and_wait()
            return timedelta(0) if self.run_answers else waited

        def finish(self, state=RunState.SUCCEEDED):
            self.runs = {name: (id_, state if known.under_way else known) for name, (id_, known) in self.runs.items()}

    def build(**retraining):
        world = Watched(**retraining)
        world.drift = DriftReport(window=7)
        world.run(lambda world: world.phase is Phase.HEALTHY)
        return world

    return build


def stale(world, window=8):
    world.drift = DriftReport(window=window, stale=STALE)
    return world


def test_severe_drift_that_lasts_starts_one_run_with_the_manifests_parameters(watched):
    world = stale(watched())
    world.run_for(600)
    (_, request) = world.requests[0]
    assert len(world.requests) == 1
    assert request.display_name == f"headgate-ml-flight-delay-{world.status.stable.id}-w8"
    assert (request.pipeline, request.parameters) == ("flights-training", (("rows", "all"),))
    known = world.status.retraining
    assert (known.last_run_id, known.state, known.cause) == ("run-1", RunState.RUNNING, STALE.message)
    assert world.said(Reason.RETRAINING_STARTED) == 1


def test_nothing_is_started_while_nothing_alarms(watched):
    world = watched()
    world.run_for(3600)
    assert world.requests == []
    assert world.status.retraining is None


@pytest.mark.parametrize("why", ["broken data", "monitor down", "paused", "rollout under way", "refused manifest"])
def test_no_run_is_started_when_it_could_only_make_things_worse(watched, why):
    world = watched()
    if why == "broken data":
        world.drift = DriftReport(window=8, stale=STALE, quality=Finding(signal=Signal.DRIFT))
    elif why == "monitor down":
        world.drift = DriftReport(window=8, stale=STALE, error="no answer")
    elif why == "paused":
        world.apply(1, paused=True)
        stale(world)
    elif why == "refused manifest":
        world.problem = (Reason.RUNTIME_MISSING, "no such runtime")
        world.apply(2)
        stale(world)
    else:
        world.startup = timedelta(hours=1)
        world.apply(2)
        world.run(lambda world: world.status.candidate is not None)
        stale(world)
    world.run_for(600)
    assert world.requests == []


def test_a_run_whose_id_came_on_record_is_looked_for_at_once(watched):
    world = stale(watched())
    world.run(lambda world: world.run_answers)
    observed = world.observe()
    decision = decide(observed)
    assert decision.status.retraining.last_run_id == "run-1"
    assert settled(observed, decision) is None


def test_a_run_that_is_under_way_is_the_only_one_however_long_it_takes(watched):
    world = stale(watched(cooldown="1m"))
    world.run_for(120)
    stale(world, window=9)
    world.run_for(7200)
    assert len(world.requests) == 1
    world.finish()
    world.run_for(120)
    assert len(world.requests) == 2
    assert world.said(Reason.RETRAINING_SUCCEEDED) == 1


def test_the_same_window_never_starts_a_second_run(watched):
    world = stale(watched(cooldown="1m"))
    world.run_for(120)
    world.finish()
    world.run_for(7200)
    assert len(world.requests) == 1


def test_the_cooldown_and_the_weekly_budget_are_kept(watched):
    world = watched(cooldown="1d", maxPerWeek=2)
    for window in range(8, 28):
        stale(world, window=window)
        world.run_for(60)
        world.finish()
        world.run_for(60)
        world.pass_time(timedelta(hours=12) - timedelta(seconds=120))
    times = [at for at, _ in world.requests]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] >= timedelta(days=1)
    assert len(times) == 4, "two in the first week, the third when the first is a week old"
    assert all(third - first >= timedelta(days=7) for first, third in pairwise(times[::2]))
    assert len(world.status.retraining.started) <= 2


def test_a_crash_between_the_request_and_its_record_starts_no_second_run(watched):
    world = stale(watched())
    world.run(lambda world: world.requests)
    world.run_answers = ()  # the answer died with the process
    world.run_for(120)
    assert len(world.requests) == 2
    assert {request.display_name for _, request in world.requests} == {world.status.retraining.last_trigger}
    assert len(world.runs) == 1


def test_a_crash_before_the_decision_is_on_record_leaves_no_run_that_nobody_knows(watched):
    world = stale(watched())
    world.crash_at = world.writes
    world.run(lambda world: world.crash_at is None)
    assert world.requests == []
    assert world.runs == {}
    world.run_for(60)
    assert len(world.runs) == 1


def test_a_run_that_cannot_be_started_is_tried_again_told_twice_and_then_given_up(watched):
    world = stale(watched())
    world.refuses = "HTTP 404: there is no pipeline flights-training"
    world.run_for(4 * 3600)
    assert len(world.requests) == 8
    assert world.status.retraining.state is RunState.NOT_STARTED
    assert "no pipeline" in world.status.retraining.message
    assert world.said(Reason.RETRAINING_FAILED) == 2
    assert world.said(Reason.RETRAINING_STARTED) == 0


def test_a_run_that_fails_is_told_once_and_not_repeated_for_the_same_window(watched):
    world = stale(watched(cooldown="1m"))
    world.run_for(60)
    world.finish(RunState.FAILED)
    world.run_for(3600)
    assert world.status.retraining.state is RunState.FAILED
    assert world.said(Reason.RETRAINING_FAILED) == 1
    assert len(world.requests) == 1


def test_a_manifest_that_asks_for_no_retraining_any_more_takes_back_what_nothing_came_of(watched):
    world = stale(watched())
    world.refuses = "HTTP 503"
    world.run(lambda world: world.requests)
    world.manifest.pop("retraining")
    world.generation += 1
    world.run_for(3600)
    assert world.status.retraining.state is RunState.NOT_STARTED
    assert len(world.requests) == 1
    assert len(world.status.retraining.started) == 1, "the budget is not forgotten"
