"""The drift monitor's verdicts: who is refused, what holds, and what is only told. The world's drift never rolls anything back."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import DriftedFeature, Phase, Signal
from headgate_operator.rollout.observed import DriftReport, Finding

CLEAN = {
    name: Finding(signal=Signal.CLEAN)
    for name in (
        "input",
        "candidate_input",
        "output",
        "candidate_output",
        "routing",
        "prediction",
        "quality",
        "ground_truth",
        "coverage",
        "skill",
    )
}


def report(**alarms):
    found = {name: Finding(signal=signal, message=f"{name} {signal}") for name, signal in alarms.items()}
    return DriftReport(window=7, reference="sha256:00", top=(DriftedFeature(feature="temp", distance=0.4),), **(CLEAN | found))


@pytest.fixture
def watched(make_world):
    """Version 1 serves, watched by a monitor that finds nothing; the function sets what the manifest asks for."""

    def build(**manifest):
        world = make_world(**({"drift": {}} | manifest))
        world.drift = report()
        return world.run(lambda world: world.phase is Phase.HEALTHY)

    return build


def canary(world):
    """Version 2 has its first weight, and its step began."""
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second, 0) > 0 and world.status.candidate.step_started_at is not None)
    return second


def until_over(world):
    return world.run(lambda world: world.status.candidate is None and world.phase is not Phase.PROMOTING)


def test_a_clean_monitor_lets_a_good_version_through(watched):
    world = watched(drift={"onInputDrift": "Hold", "onPredictionDrift": "Rollback"}, groundTruth={"margin": 0.02})
    second = canary(world)
    until_over(world)
    assert world.status.stable.id == second


@pytest.mark.parametrize("policy", ["Alert", "Retrain"])
def test_a_changed_world_is_told_and_rolls_nothing_back(watched, policy):
    retraining = {"retraining": {"pipeline": {"endpoint": "http://kfp", "name": "train"}}} if policy == "Retrain" else {}
    world = watched(drift={"onInputDrift": policy}, **retraining)
    second = canary(world)
    world.drift = report(input=Signal.SEVERE, candidate_input=Signal.SEVERE)
    until_over(world)
    assert world.status.stable.id == second
    assert world.condition("InputDrift") == Reason.WORLD_CHANGED
    assert world.said(Reason.WORLD_CHANGED) == 1
    assert world.status.drift.top[0].feature == "temp"


def test_a_changed_world_holds_where_the_manifest_says_so_and_goes_on_afterwards(watched):
    world = watched(drift={"onInputDrift": "Hold"})
    second = canary(world)
    world.drift = report(input=Signal.DRIFT, candidate_input=Signal.DRIFT)
    world.run_for(600)
    assert world.weights[second] == 10
    assert world.status.candidate.hold_reason == Reason.WORLD_CHANGED
    world.drift = report()
    until_over(world)
    assert world.status.stable.id == second


def test_other_clients_hold_and_nothing_about_predictions_is_believed(watched):
    world = watched(drift={"onPredictionDrift": "Rollback"})
    second = canary(world)
    world.drift = report(candidate_input=Signal.SEVERE, routing=Signal.SEVERE, prediction=Signal.SEVERE)
    world.run_for(300)
    assert world.weights[second] == 10
    assert world.status.candidate.hold_reason == Reason.ROUTING_BIAS
    assert world.status.rejected == []


@pytest.mark.parametrize(("policy", "end"), [("Alert", "promoted"), ("Hold", "held"), ("Rollback", "refused")])
def test_predictions_that_differ_end_as_the_manifest_says(watched, policy, end):
    world = watched(drift={"onPredictionDrift": policy})
    second = canary(world)
    world.drift = report(prediction=Signal.DRIFT)
    world.run(lambda world: world.status.candidate is None or world.status.candidate.hold_reason == Reason.PREDICTIONS_DIFFER)
    assert {"promoted": world.status.stable.id == second, "held": world.status.candidate is not None,
            "refused": [entry.reason for entry in world.status.rejected] == [Reason.PREDICTIONS_DIFFER]}[end]  # fmt: skip


def test_broken_answers_refuse_the_candidate_at_once(watched):
    world = watched()
    second = canary(world)
    world.drift = report(quality=Signal.SEVERE)
    world.step()
    assert [(entry.id, entry.reason) for entry in world.status.rejected] == [(second, Reason.DATA_QUALITY_WORSE)]
    assert world.run(lambda world: second not in world.weights)


@pytest.mark.parametrize(("policy", "refused"), [("Alert", False), ("Hold", False), ("Rollback", True)])
def test_labels_against_the_candidate_refuse_it_only_if_the_manifest_says_so(watched, policy, refused):
    world = watched(groundTruth={"onWorse": policy})
    canary(world)
    world.drift = report(ground_truth=Signal.DRIFT)
    world.run_for(120)
    assert bool(world.status.rejected) is refused


def test_uneven_labels_hold_where_labels_decide_and_a_person_may_go_on(watched):
    free, bound = watched(groundTruth={"onWorse": "Alert"}), watched(groundTruth={})
    for world in (free, bound):
        second = canary(world)
        world.drift = report(ground_truth=Signal.UNKNOWN, coverage=Signal.DRIFT)
        world.run_for(900)
        assert world.status.rejected == []
    assert free.status.stable.id == second
    assert bound.weights[second] == 10
    assert bound.status.candidate.hold_reason == Reason.LABELS_UNEVEN
    bound.command = f"promote@{second}"
    bound.run(lambda world: world.weights[second] == 25)


def test_labels_of_other_clients_convict_nobody(watched):
    world = watched(groundTruth={})
    canary(world)
    world.drift = report(routing=Signal.DRIFT, ground_truth=Signal.SEVERE)
    world.run_for(120)
    assert world.status.rejected == []
    world.drift = report(ground_truth=Signal.SEVERE)
    world.step()
    assert world.status.rejected[0].reason == Reason.GROUND_TRUTH_WORSE


def test_labels_are_told_of_as_conditions_where_the_manifest_asks_for_them(watched):
    pipeline = {"endpoint": "http://kfp", "name": "train"}
    plain = watched()
    world = watched(groundTruth={"onWorse": "Alert"}, retraining={"pipeline": pipeline, "on": {"skillDrop": "50%"}})
    for each in (plain, world):
        canary(each)
        each.drift = report(ground_truth=Signal.SEVERE, skill=Signal.SEVERE)
        each.step()
    assert (plain.condition("GroundTruth"), plain.condition("SkillDrop")) == (None, None)
    said = {c.type: (c.status, c.reason) for c in world.status.conditions}
    assert said["GroundTruth"] == ("False", Reason.GROUND_TRUTH_WORSE)
    assert said["SkillDrop"] == ("True", Reason.SKILL_DROPPED)
    assert (world.said(Reason.GROUND_TRUTH_WORSE), world.said(Reason.SKILL_DROPPED)) == (1, 1)
    world.drift = DriftReport(error="down")
    world.step()
    assert world.condition("GroundTruth") == Reason.GROUND_TRUTH_WORSE


def test_evidence_during_the_watch_returns_to_the_previous_version(watched):
    world = watched()
    first = world.status.stable.id
    second = canary(world)
    world.run(lambda world: world.status.watch_until is not None)
    world.drift = report(quality=Signal.SEVERE)
    world.step()
    assert world.status.stable.id == first
    assert world.status.rejected[0].id == second
    assert world.said(Reason.ROLLED_BACK) == 1


def test_what_is_said_of_another_revision_convicts_nobody(watched):
    world = watched()
    canary(world)
    world.drift = report(quality=Signal.SEVERE)
    world._drift = lambda: DriftReport(window=8, quality=Finding(signal=Signal.SEVERE), trial="r00000000")
    world.run_for(60)
    assert world.status.rejected == []


def test_a_silent_monitor_is_told_and_holds_only_what_hangs_on_its_word(watched):
    free, bound = watched(), watched(drift={"onPredictionDrift": "Rollback"})
    for world in (free, bound):
        canary(world)
        world.drift = DriftReport(error="http://monitor did not answer within 2 s")
        world.run_for(900)
        assert world.condition("MonitorAvailable") == Reason.MONITOR_UNAVAILABLE
        assert world.said(Reason.MONITOR_UNAVAILABLE) == 1
        assert world.status.rejected == []
    assert free.status.candidate is None
    assert bound.status.candidate.weight == 10
    assert bound.status.candidate.hold_reason == Reason.MONITOR_UNAVAILABLE


def test_a_mirrored_version_with_other_predictions_is_refused_before_it_gets_traffic(watched):
    rollout = {"strategy": "BlueGreen", "steps": [{"weight": 50, "minDuration": "1h"}]}
    world = watched(drift={"onPredictionDrift": "Rollback"}, rollout=rollout)
    second = world.apply(2)
    world.run(lambda world: world.live_mirror is not None)
    world.drift = report(prediction=Signal.DRIFT)
    world.run(lambda world: bool(world.status.rejected))
    assert world.status.rejected[0].reason == Reason.PREDICTIONS_DIFFER
    assert world.served.get(second, 0) == 0


def test_a_silent_monitor_keeps_what_was_known(watched):
    world = watched()
    world.drift = report(input=Signal.DRIFT)
    world.run_for(60)
    world.drift = DriftReport(error="down")
    world.run_for(60)
    assert world.status.drift.input is Signal.DRIFT
    assert world.condition("InputDrift") == Reason.WORLD_CHANGED


def test_a_gate_does_not_open_on_an_unknown_verdict(watched):
    world = watched(drift={"onPredictionDrift": "Hold"})
    second = canary(world)
    world.drift = report(prediction=Signal.UNKNOWN)
    world.run_for(600)
    assert world.weights[second] == 10


def test_a_person_may_pass_a_hold_but_not_labels(watched):
    world = watched(drift={"onPredictionDrift": "Hold"}, groundTruth={"onWorse": "Hold"})
    second = canary(world)
    world.drift = report(prediction=Signal.DRIFT)
    world.run(lambda world: world.status.candidate.hold_reason == Reason.PREDICTIONS_DIFFER)
    world.command = f"promote@{second}"
    world.run(lambda world: world.weights[second] == 25)
    world.drift = report(ground_truth=Signal.DRIFT)
    world.run(lambda world: world.status.candidate.hold_reason == Reason.GROUND_TRUTH_WORSE)
    world.command = f"promote@{second}"
    world.run_for(120)
    assert world.weights[second] == 25


def test_a_person_sends_nothing_straight_on_that_labels_speak_against(watched):
    world = watched(groundTruth={"onWorse": "Hold"})
    second = canary(world)
    world.drift = report(ground_truth=Signal.DRIFT)
    world.command = f"promote-full@{second}"
    world.run_for(120)
    assert world.status.last_command.result == "Applied"
    assert world.weights[second] == 10
    assert world.status.candidate.hold_reason == Reason.GROUND_TRUTH_WORSE
    world.drift = report()
    until_over(world)
    assert world.status.stable.id == second


@pytest.mark.parametrize("side", ["output", "candidate_output"])
def test_predictions_other_than_at_evaluation_are_told_and_nothing_follows(watched, side):
    world = watched(drift={"onInputDrift": "Hold", "onPredictionDrift": "Rollback"}, groundTruth={"onWorse": "Rollback"})
    second = canary(world)
    world.drift = report(**{side: Signal.SEVERE})
    until_over(world)
    assert world.status.stable.id == second
    assert world.condition("PredictionDrift") == Reason.PREDICTIONS_MOVED
    assert world.said(Reason.PREDICTIONS_MOVED) == 1
    assert getattr(world.status.drift, side) is Signal.SEVERE
    world.drift = report()
    world.step()
    assert world.condition("PredictionDrift") == Reason.NO_DRIFT


def test_a_candidate_unlike_stable_is_the_first_thing_told_of_predictions(watched):
    world = watched()
    canary(world)
    world.drift = report(prediction=Signal.DRIFT, candidate_output=Signal.SEVERE)
    world.step()
    assert world.condition("PredictionDrift") == Reason.PREDICTIONS_DIFFER


def test_nothing_is_written_while_the_monitor_says_the_same(watched):
    world = watched()
    world.run_for(60)
    writes = world.writes
    world.run_for(600)
    assert world.writes == writes


def test_without_drift_in_the_manifest_there_is_no_word_of_it(serving):
    assert serving.condition("MonitorAvailable") is None
    assert serving.status.drift is None
