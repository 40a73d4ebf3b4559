"""Misbehaviour on order: what the annotations say, and what they cannot say."""

import math

import pytest

from headgate_devcluster.kserve.behaviour import CRASH_SECONDS, READY, START_SECONDS, Behaviour, behaviour
from headgate_devcluster.kserve.desired import deployment


@pytest.mark.parametrize(
    "wanted", [Behaviour(), Behaviour(ready=False), Behaviour(start_seconds=2.5, ready_seconds=10), Behaviour(crash_seconds=0)]
)
def test_what_is_ordered_is_what_is_read(wanted: Behaviour) -> None:
    assert behaviour({name: value for name, value in wanted.annotations().items() if value is not None}) == wanted


def test_ordering_the_usual_takes_every_annotation_away() -> None:
    assert set(Behaviour().annotations().values()) == {None}


@pytest.mark.parametrize(("name", "text"), [(START_SECONDS, "soon"), (CRASH_SECONDS, "-1"), (START_SECONDS, "inf"), (READY, "never")])
def test_what_is_not_possible_is_one_sentence_with_the_way_out(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"annotation {name}: '{text}' is not possible; write "):
        behaviour({name: text})


def test_a_server_is_ready_between_its_start_and_its_end() -> None:
    wanted = Behaviour(start_seconds=2, ready_seconds=3)
    assert [wanted.may_be_ready(age) for age in (0, 1.9, 2, 4.9, 5, 100)] == [False, False, True, True, False, False]
    assert Behaviour().may_be_ready(0)
    assert not Behaviour(ready=False).may_be_ready(math.pi)


def test_an_order_does_not_reach_the_pod_template() -> None:
    meta = {"name": "m", "namespace": "ml", "uid": "1", "annotations": {"team": "delays", READY: "false"}}
    isvc = {"apiVersion": "a/v1", "kind": "K", "metadata": meta, "spec": {"predictor": {"containers": [{"name": "c"}]}}}
    assert deployment(isvc, None)["spec"]["template"]["metadata"]["annotations"] == {"team": "delays"}
