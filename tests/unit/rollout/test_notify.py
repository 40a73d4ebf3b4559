"""Hooks that are only told: every change of phase, in order, and nothing follows from what they answer."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

STEPS = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 50)]
TELL = {"name": "tell", "type": "notify", "url": "http://chat.ml/"}


@pytest.fixture
def world_with(make_world):
    def build(*hooks):
        return make_world(rollout={"steps": STEPS, "watch": {"duration": "60s", "holdback": 5}, "hooks": list(hooks)})

    return build


def told(world, name="tell"):
    seen = {call.notice.number: call.notice for call in world.called if call.name == name}
    return [notice.phase for _, notice in sorted(seen.items())]


def test_every_change_of_phase_is_told_in_order_and_once(world_with):
    world = world_with(TELL)
    world.run()
    world.apply(2)
    world.run()
    numbers = [call.notice.number for call in world.called]
    assert numbers == list(range(1, len(numbers) + 1))
    phases = told(world)
    assert phases[-1] is Phase.HEALTHY
    assert [phase for phase in phases if phase in (Phase.WATCHING, Phase.HEALTHY)] == [Phase.HEALTHY, Phase.WATCHING, Phase.HEALTHY]
    assert world.called[-1].revision == world.id_of(2)


def test_a_refusal_is_told_with_its_reason(world_with):
    world = world_with(TELL)
    world.run()
    world.apply(2)
    world.behave(2, bad=0.9)
    world.run(lambda world: Phase.ROLLED_BACK in told(world))
    notice = world.called[-1].notice
    assert (notice.phase, notice.reason) == (Phase.ROLLED_BACK, Reason.CANDIDATE_REJECTED)
    assert "ErrorsWorse" in notice.message


def test_what_a_notify_hook_answers_changes_nothing_but_an_event(world_with):
    world, silent = world_with(TELL), world_with()
    world.hook_answers["tell"] = "HTTP 500"
    for each in (world, silent):
        each.run()
        each.apply(2)
        each.run()
    assert world.weights == silent.weights
    assert world.phase is Phase.HEALTHY
    assert world.said(Reason.NOTIFY_FAILED) > 0
    assert world.said(Reason.HOOK_FAILED) == 0


def test_a_hook_that_never_answers_holds_nothing_up_and_the_log_stays_short(world_with):
    world = world_with(TELL)
    world.hook_answers["tell"] = None
    for version in range(1, 6):
        world.apply(version)
        world.run(lambda world, version=version: world.status.stable is not None and world.status.stable.id == world.id_of(version))
    assert len(world.status.notices) == 10
    numbers = [notice.number for notice in world.status.notices]
    assert numbers == list(range(numbers[0], numbers[0] + 10))


def test_a_change_that_could_not_be_told_in_time_is_given_up_and_the_next_one_told(world_with):
    world = world_with(TELL | {"retries": 1})
    world.hook_answers["tell"] = "HTTP 500"
    world.run(lambda world: world.said(Reason.NOTIFY_FAILED) == 1)
    world.hook_answers.clear()
    world.apply(2)
    world.run()
    record = world.status.notified[0]
    assert record.number == world.status.notices[-1].number
    assert record.result == "Passed"


def test_one_slow_hook_does_not_keep_another_from_being_told(world_with):
    world = world_with(TELL, TELL | {"name": "other"})
    world.hook_answers["tell"] = None
    world.run(lambda world: Phase.HEALTHY in told(world, "other"), limit=100)
    assert world.status.notified[0].number == 0


def test_a_hook_that_is_new_in_the_manifest_is_told_of_what_comes(world_with):
    world = world_with()
    world.run()
    world.manifest["rollout"] = world.manifest["rollout"] | {"hooks": [TELL]}
    world.generation += 1
    world.run()
    assert world.called == []
    world.apply(2)
    world.run(lambda world: bool(world.called))
    assert world.called[0].revision == world.id_of(2)


def test_a_crash_before_the_record_repeats_the_call_and_one_after_it_does_not(world_with):
    world = world_with(TELL)
    world.run(lambda world: bool(world.answers))
    world.answers = ()
    world.run(lambda world: bool(world.answers))
    assert world.called[0] == world.called[1]
    count = len(world.called)
    world.run()
    assert world.called[0] not in world.called[count:]
