"""`pause@` freezes the way up until `resume@`. The way down stays open: nothing bad is kept in front of clients by a pause."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def paused_at(world, weight):
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == weight)
    world.command = f"pause@{second}"
    world.step()
    return second


def test_a_paused_candidate_keeps_its_weight_and_nobody_is_called(serving):
    second = paused_at(serving, 25)
    for _ in range(4):
        serving.run_for(1_000)
    assert serving.weights[second] == 25
    assert serving.phase is Phase.PAUSED
    assert serving.condition("Reconciling") == Reason.PAUSED
    assert serving.condition("Stalled") is None


def test_resume_lets_it_go_on(serving):
    second = paused_at(serving, 25)
    serving.run_for(600)
    serving.command = f"resume@{second}"
    serving.run()
    assert serving.weights == {second: 100}


def test_a_paused_candidate_that_is_worse_is_refused(serving):
    second = paused_at(serving, 25)
    serving.run_for(60)
    serving.behave(2, bad=0.5)
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second


def test_a_paused_candidate_without_endpoints_loses_its_weight_and_gets_it_back_only_when_resumed(serving):
    second = paused_at(serving, 25)
    pod = serving.pods[serving.isvc_of(2)]
    pod.available, pod.broken = 0, True
    serving.run_for(30)
    assert serving.weights == {serving.id_of(1): 100}
    pod.broken = False
    serving.run_for(600)
    assert serving.weights == {serving.id_of(1): 100}
    serving.command = f"resume@{second}"
    serving.run()
    assert serving.weights == {second: 100}


def test_abort_and_a_changed_manifest_end_a_pause(serving):
    second = paused_at(serving, 25)
    serving.command = f"abort@{second}"
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    third = serving.apply(3)
    serving.run()
    assert serving.weights == {third: 100}


def test_promote_does_not_pass_a_pause_but_says_what_does(serving):
    second = paused_at(serving, 25)
    for verb in ("promote", "promote-full"):
        serving.command = f"{verb}@{second}"
        serving.step()
        assert f"resume@{second}" in serving.status.last_command.result
    serving.run_for(120)
    assert serving.weights[second] == 25


def test_pausing_twice_and_resuming_twice_are_ignored(serving):
    second = paused_at(serving, 25)
    serving.step()
    serving.command = f"pause@{second}"
    serving.step()
    assert "paused already" in serving.status.last_command.result
    serving.command = f"resume@{second}"
    serving.step()
    serving.step()
    serving.command = f"resume@{second}"
    serving.step()
    assert "not paused" in serving.status.last_command.result
