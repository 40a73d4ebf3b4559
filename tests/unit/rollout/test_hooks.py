"""Hooks that must agree: in order, with growing pauses, never again after a success, and past no failure without a person."""

from dataclasses import replace
from itertools import pairwise

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import HookResult, Phase
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import HookAnswer

STEPS = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 50)]


def hook(name, kind="pre-rollout", **settings):
    return {"name": name, "type": kind, "url": f"http://hooks.ml/{name}", **settings}


@pytest.fixture
def world_with(make_world):
    """Version 1 is being applied; the hooks are the test's own."""

    def build(*hooks, **rollout):
        return make_world(rollout={"steps": STEPS, "watch": {"duration": "60s", "holdback": 5}, "hooks": list(hooks), **rollout})

    return build


def serving(world, *hooks):
    """Version 1 serves; only then the hooks are written into the manifest."""
    world.run()
    world.manifest["rollout"] = world.manifest["rollout"] | {"hooks": list(hooks)}
    return world


def names(world):
    return [call.name for call in world.called]


def record(world, name):
    return next(record for record in world.status.candidate.hooks if record.name == name)


def holds(world):
    return world.status.candidate is not None and world.status.candidate.hold_reason == Reason.HOOK_FAILED


def command(world, words):
    world.command = words
    world.run(lambda world: world.command is None)
    return world.status.last_command.result


def test_each_gate_is_asked_once_on_the_way_in_the_order_of_the_manifest(world_with):
    hooks = hook("smoke"), hook("sign", "pre-promotion"), hook("load")
    world = serving(world_with(), *hooks)
    second = world.apply(2)
    world.run(lambda world: "load" in names(world))
    assert names(world) == ["smoke", "load"]
    assert world.weights.get(second) is None, "no request before its hooks agreed"
    world.run(lambda world: "sign" in names(world))
    assert world.weights[second] == 50, "at the last step, everything else done"
    world.run()
    assert world.weights == {second: 100}
    assert names(world) == ["smoke", "load", "sign"]
    assert world.said(Reason.HOOK_PASSED) == 3


def test_a_first_revision_is_asked_before_it_serves_but_not_before_its_promotion(world_with):
    world = world_with(hook("smoke"), hook("sign", "pre-promotion"))
    world.hook_answers["smoke"] = "HTTP 500"
    world.run(holds)
    assert world.status.stable is None
    assert world.route is None
    world.hook_answers.clear()
    command(world, f"retry@{world.id_of(1)}")
    world.run()
    assert world.phase is Phase.HEALTHY
    assert set(names(world)) == {"smoke"}


def test_a_hook_that_does_not_agree_is_asked_again_after_growing_pauses(world_with):
    world = serving(world_with(), hook("smoke", retries=3))
    world.apply(2)
    world.hook_answers["smoke"] = "HTTP 503"
    asked = []
    while not holds(world):
        count = len(world.called)
        world.pass_and_wait()
        asked += [world.now] * (len(world.called) - count)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert pauses == [2, 4, 8]
    assert (record(world, "smoke").attempts, record(world, "smoke").result) == (4, HookResult.FAILED)


def test_a_failed_gate_holds_is_told_once_and_needs_a_person_after_the_hold_timeout(world_with):
    world = serving(world_with(holdTimeout="10m"), hook("smoke"))
    second = world.apply(2)
    world.hook_answers["smoke"] = "HTTP 500: 3 of 20 requests failed"
    world.run(holds)
    assert world.phase is Phase.HOLDING
    assert world.said(Reason.HOOK_FAILED) == 1
    world.hook_answers.clear()
    world.run_for(500)
    assert len(world.called) == 3, "it is not asked until it happens to agree"
    assert world.condition("Stalled") is None
    world.run_for(200)
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT
    stalled = next(condition for condition in world.status.conditions if condition.type == "Stalled")
    assert "3 of 20 requests failed" in stalled.message
    assert f"retry@{second}" in stalled.message
    assert not world.status.rejected, "nobody has shown it to be bad"
    assert world.said(Reason.HOOK_FAILED) == 1


def test_retry_asks_the_failed_hooks_again_and_none_that_agreed(world_with):
    world = serving(world_with(), hook("smoke"), hook("load", retries=0))
    second = world.apply(2)
    world.hook_answers["load"] = "HTTP 500"
    world.run(holds)
    world.hook_answers.clear()
    assert command(world, f"retry@{second}") == "Applied"
    world.run()
    assert names(world) == ["smoke", "load", "load"]
    assert world.weights == {second: 100}


def test_a_hook_that_agreed_before_the_first_request_is_asked_again_once_it_guards_the_promotion(world_with):
    world = serving(world_with(), hook("smoke"))
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    assert names(world) == ["smoke"]
    world.manifest["rollout"] = world.manifest["rollout"] | {"hooks": [hook("smoke", "pre-promotion")]}
    world.hook_answers["smoke"] = "HTTP 500"
    world.run(holds)
    assert world.weights[second] == 50, "not promoted on the word it gave for something else"


def test_retry_of_a_candidate_without_failed_hooks_says_so(world_with):
    world = serving(world_with(), hook("smoke"))
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    assert command(world, f"retry@{second}") == "Ignored: it is the candidate, and none of its hooks has failed"


@pytest.mark.parametrize("verb", ["promote", "promote-full"])
def test_no_command_passes_a_hook_that_does_not_agree(world_with, verb):
    world = serving(world_with(), hook("sign", "pre-promotion", retries=0))
    second = world.apply(2)
    world.hook_answers["sign"] = "HTTP 403"
    world.run(holds)
    result = command(world, f"{verb}@{second}")
    world.run_for(30)
    assert world.weights[second] == 50
    assert holds(world)
    if verb == "promote":
        assert result == f"Ignored: the hook sign must answer 2xx, which no command replaces; retry@{second} asks it again"


def test_straight_on_to_promotion_asks_both_kinds_of_gates(world_with):
    world = serving(world_with(), hook("sign", "pre-promotion"), hook("smoke"))
    second = world.apply(2)
    world.run(lambda world: world.status.candidate is not None)
    assert command(world, f"promote-full@{second}") == "Applied"
    world.run()
    assert names(world) == ["smoke", "sign"]
    assert world.weights == {second: 100}


def test_a_hook_taken_out_of_the_manifest_is_not_waited_for(world_with):
    world = serving(world_with(), hook("smoke", retries=0))
    second = world.apply(2)
    world.hook_answers["smoke"] = "HTTP 500"
    world.run(holds)
    world.manifest["rollout"] = world.manifest["rollout"] | {"hooks": []}
    world.generation += 1
    world.run()
    assert world.weights == {second: 100}


def test_a_hook_with_another_address_is_asked_anew(world_with):
    world = serving(world_with(), hook("smoke", retries=0))
    second = world.apply(2)
    world.hook_answers["smoke"] = "name not known"
    world.run(holds)
    world.hook_answers.clear()
    world.manifest["rollout"] = world.manifest["rollout"] | {"hooks": [hook("smoke") | {"url": "http://right.ml/"}]}
    world.generation += 1
    world.run()
    assert world.weights == {second: 100}
    assert len(world.called) == 2


def test_an_answer_about_another_revision_or_another_hook_says_nothing(world_with):
    world = serving(world_with(), hook("smoke"))
    world.hook_answers["smoke"] = None
    world.apply(2)
    world.run(lambda world: bool(world.called))
    stale = world.called[0]
    world.hook_answers.clear()
    world.apply(3)
    world.run(lambda world: world.status.candidate is not None and world.status.candidate.id == world.id_of(3))
    world.answers = tuple(answer_to(call) for call in (stale, changed(stale, world.id_of(3))))
    world.step()
    assert world.status.candidate.hooks == []


def answer_to(call):
    return HookAnswer(call=call, passed=True)


def changed(call, revision):
    return replace(call, revision=revision, definition="0ther")


def test_a_second_answer_after_a_success_changes_nothing(world_with):
    world = serving(world_with(), hook("smoke"))
    world.apply(2)
    world.run(lambda world: world.status.candidate is not None and bool(world.status.candidate.hooks))
    before = record(world, "smoke")
    world.answers = (answer_to(world.called[0]),)
    world.pass_time(world.spec.rollout.hooks[0].timeout)
    world.step()
    assert record(world, "smoke") == before


def test_a_hook_without_an_answer_is_asked_for_as_long_as_it_takes_and_told_as_what_is_waited_for(world_with):
    world = serving(world_with(holdTimeout="10m"), hook("smoke"))
    world.hook_answers["smoke"] = None
    world.apply(2)
    world.run_for(60)
    assert world.condition("Reconciling") == Reason.WAITING_FOR_HOOK
    assert world.phase is Phase.PROGRESSING
    assert len(set(world.called)) == 1, "always the same call, so that it is never under way twice"
    world.run_for(600)
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT


def test_a_way_back_waits_for_no_hook(world_with):
    world = serving(world_with(), hook("smoke"), hook("sign", "pre-promotion"))
    first = world.id_of(1)
    world.apply(2)
    world.run()
    world.hook_answers |= {"smoke": "no", "sign": "no"}
    count = len(world.called)
    world.apply(1)
    world.run()
    assert world.weights == {first: 100}
    assert len(world.called) == count


def test_a_version_that_turns_out_worse_while_a_hook_is_asked_is_rolled_back(world_with):
    world = serving(world_with(), hook("sign", "pre-promotion", retries=10))
    second = world.apply(2)
    world.hook_answers["sign"] = None
    world.run(lambda world: bool(world.called))
    world.behave(2, bad=0.9)
    world.run(lambda world: bool(world.status.rejected))
    assert world.status.rejected[0].id == second


def test_a_crash_before_the_record_repeats_the_call_and_one_after_it_does_not(world_with):
    world = serving(world_with(), hook("smoke"))
    world.apply(2)
    world.run(lambda world: bool(world.answers))
    world.answers = ()  # the process dies with the answer
    world.run(lambda world: bool(world.answers))
    assert len(world.called) == 2
    assert world.called[0] == world.called[1]
    world.step()
    assert record(world, "smoke").result is HookResult.PASSED
    world.run()
    assert len(world.called) == 2


def test_an_object_without_hooks_calls_nobody_and_stores_nothing_about_them(world_with):
    world = world_with()
    world.run()
    assert world.called == []
    stored = world.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert (stored["notices"], stored["notified"]) == ([], [])
    assert decide(world.observe()).hooks == ()
