"""A status that is malformed, half-written or contradicts itself: nobody but the stable version gets traffic by it."""

import json

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.api.stored import read_status


def store(world, **fields):
    """Put fields into the stored status, as somebody else might, and read it back."""
    stored = json.loads(world.status.model_dump_json(by_alias=True, exclude_none=True))
    for path, value in fields.items():
        *parents, last = path.split("__")
        node = stored
        for part in parents:
            node = node[int(part)] if part.isdigit() else node[part]
        node[last] = value
    world.status, world.damaged = read_status(stored)


def at_weight(world, weight):
    revision = world.apply(2)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    world.run(lambda world: world.status.analysis is not None and world.status.analysis.metrics)
    return revision


DAMAGE = [
    {"stable": "r1"}, {"stable__slot": 7}, {"candidate": {"id": "r2"}}, {"candidate__step": "first"}, {"candidate__weight": 250},
    {"candidate__weight": -5}, {"candidate__slot": 0}, {"candidate__slot": None}, {"candidate__parity": "Later"},
    {"draining": {"a": 1}}, {"previous": 5}, {"watchUntil": "tomorrow"},
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: "-".join(f"{key}={value}" for key, value in damage.items())[:40])
def test_a_damaged_role_gives_all_traffic_to_stable_and_the_canary_starts_over(serving, damage):
    second = at_weight(serving, 25)
    store(serving, **damage)
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.said(Reason.STATUS_REPAIRED) == 1
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.said(Reason.STATUS_REPAIRED) == 1
    assert list(serving.pods) == [serving.isvc_of(2)], "no litter"


@pytest.mark.parametrize(
    "damage", [{"previous__weight": 400}, {"previous__slot": 1}, {"stable": []}, {"previous": None, "watchUntil": "x"}]
)
def test_a_damaged_watch_leaves_the_promoted_version_all_traffic(serving, damage):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    store(serving, **damage)
    serving.step()
    assert serving.weights == {second: 100}
    serving.run()
    assert serving.phase is Phase.HEALTHY
    assert list(serving.pods) == [serving.isvc_of(2)]


@pytest.mark.parametrize("damage", [{"rejected": "none"}, {"rejected__0__at": "x"}, {"rejected": [3]}, {"stable": 1, "rejected": 1}])
def test_what_was_refused_stays_refused(serving, damage):
    second = serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    serving.behave(2)
    store(serving, **damage)
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert [entry.id for entry in serving.status.rejected] == [second]


@pytest.mark.parametrize(
    "damage",
    [
        {"analysis": 3},
        {"analysis__candidateSlot": 0},
        {"analysis__metrics__0__verdict": "Splendid"},
        {"analysis__metrics__0__promotion": [0.0]},
    ],
)
def test_damaged_evidence_begins_anew_and_the_weights_stay(serving, damage):
    second = at_weight(serving, 50)
    store(serving, **damage)
    serving.step()
    assert serving.weights[second] == 50
    assert serving.said(Reason.STATUS_REPAIRED) == 1
    serving.run()
    assert serving.weights == {second: 100}


@pytest.mark.parametrize("damage", [{"phase": "Dancing"}, {"conditions": [{"type": "New"}]}, {"traffic": 1}, {"history": [1]}])
def test_words_of_another_release_change_no_weight(serving, damage):
    second = at_weight(serving, 25)
    store(serving, **damage)
    serving.step()
    assert serving.weights[second] == 25
    serving.run()
    assert serving.weights == {second: 100}


def test_a_status_that_is_no_object_is_rebuilt_from_the_route(serving):
    second = at_weight(serving, 25)
    serving.status, serving.damaged = read_status(["nonsense"])
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    serving.run()
    assert serving.weights == {second: 100}


def test_a_command_is_not_repeated_when_nobody_knows_whether_it_was_carried_out(serving):
    second = at_weight(serving, 10)
    serving.command = f"promote-full@{second}"
    store(serving, lastCommand=3)
    serving.step()
    assert "give it again" in serving.status.last_command.result
    assert not serving.status.candidate.promote_now
