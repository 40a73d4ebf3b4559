"""Which requests a fault strikes, and for how long."""

from collections import Counter
from dataclasses import replace

from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.faults import EVERYONE, Effect, Fault, Faults

UPDATE = Call(
    verb="update", group="headgate.dev", resource="modeldeployments", subresource="status", namespace="ml", name="m", client="kopf/1"
)
ERROR = Fault(effect=Effect.ERROR)


def struck(fault: Fault, *calls: Call) -> list[bool]:
    faults = Faults(seed=1)
    faults.add(fault)
    return [bool(faults.strike(call)) for call in calls]


def test_a_fault_without_conditions_strikes_everything() -> None:
    assert struck(ERROR, UPDATE, replace(UPDATE, verb="watch", name="")) == [True, True]


def test_a_fault_strikes_only_its_verbs_resources_namespace_and_name() -> None:
    fault = replace(ERROR, verbs=frozenset({"update"}), resources=frozenset({"modeldeployments/status"}), namespace="ml", name="m")
    others = [replace(UPDATE, **change) for change in ({"verb": "get"}, {"subresource": ""}, {"namespace": "x"}, {"name": "x"})]
    assert struck(fault, UPDATE, *others) == [True, False, False, False, False]


def test_the_devcluster_itself_is_spared_unless_it_is_named() -> None:
    own = replace(UPDATE, client="headgate-devcluster/1")
    assert struck(ERROR, own, UPDATE) == [False, True]
    assert struck(replace(ERROR, client=EVERYONE), own, UPDATE) == [True, True]
    assert struck(replace(ERROR, client="kopf"), own, UPDATE) == [False, True]


def test_some_requests_pass_first_and_after_the_limit_the_fault_is_over() -> None:
    faults = Faults()
    faults.add(replace(ERROR, skip=2, limit=1))
    assert [bool(faults.strike(UPDATE)) for _ in range(5)] == [False, False, True, False, False]
    assert faults.active() == []


def test_a_probability_strikes_a_share_of_requests_and_a_seed_repeats_it() -> None:
    fault = replace(ERROR, probability=0.3)
    first, second = (struck(fault, *[UPDATE] * 1000) for _ in range(2))
    assert first == second
    assert 250 < Counter(first)[True] < 350


def test_a_fault_ends_when_its_time_is_up() -> None:
    now = [0.0]
    faults = Faults(clock=lambda: now[0])
    faults.add(replace(ERROR, seconds=5))
    assert faults.strike(UPDATE)
    now[0] = 5.1
    assert not faults.strike(UPDATE)
    assert faults.active() == []


def test_what_is_in_force_is_told_with_its_counts_and_can_be_taken_back() -> None:
    faults = Faults()
    name = faults.add(replace(ERROR, skip=1))
    faults.strike(UPDATE)
    faults.strike(UPDATE)
    (told,) = faults.active()
    assert (told.id, told.seen, told.struck) == (name, 2, 1)
    assert faults.remove(name)
    assert not faults.remove(name)
    assert not faults.strike(UPDATE)
