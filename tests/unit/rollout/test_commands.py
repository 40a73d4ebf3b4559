"""Commands name the revision they speak of: a stale one does nothing, a repeated one is carried out once."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def rejected_reasons(world):
    return {entry.id: entry.reason for entry in world.status.rejected}


def test_abort_takes_the_candidate_out_at_once(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25)
    serving.command = f"abort@{second}"
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert rejected_reasons(serving) == {second: Reason.ABORTED}
    assert serving.status.last_command.result == "Applied"
    assert serving.command is None


def test_abort_of_the_promoted_revision_in_its_watch_goes_back(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.command = f"abort@{second}"
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert rejected_reasons(serving) == {second: Reason.ABORTED}


def test_abort_never_goes_back_to_a_version_that_is_not_there(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.pods[serving.isvc_of(1)].available = 0
    serving.command = f"abort@{second}"
    serving.step()
    assert serving.weights[second] == 100
    assert "no available replica" in serving.status.last_command.result


def test_retry_gives_a_refused_revision_another_whole_canary(serving):
    second = serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    serving.behave(2)
    serving.command = f"retry@{second}"
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.status.rejected == []


def test_retry_while_the_refused_version_still_drains_keeps_its_pods_and_its_slot(serving):
    second = serving.apply(2)
    serving.behave(2, bad=0.5)
    serving.run(lambda world: world.status.rejected and not world.status.candidate)
    serving.run(lambda world: world.status.draining[0].left_route_at is not None)
    serving.behave(2)
    serving.command = f"retry@{second}"
    serving.step()
    assert serving.status.candidate.id == second
    assert serving.status.candidate.slot == 1
    assert serving.status.draining == []
    serving.run()
    assert serving.weights == {second: 100}


def test_a_stale_command_is_ignored_and_said_so(serving):
    serving.command = "abort@r00000000"
    serving.step()
    assert serving.status.last_command.result.startswith("Ignored")
    assert serving.said(Reason.COMMAND_IGNORED) == 1
    assert serving.command is None


def test_an_unknown_command_says_what_is_understood(serving):
    serving.command = "reboot"
    serving.step()
    assert "abort@<id>" in serving.status.last_command.result


def test_a_command_seen_again_after_a_crash_is_only_removed(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25)
    serving.command = f"abort@{second}"
    serving.step()
    acknowledged = serving.status.last_command
    serving.command = f"abort@{second}"
    decision = serving.step()
    assert decision.command_done
    assert serving.status.last_command == acknowledged
    assert serving.said(Reason.COMMAND_IGNORED) == 0
