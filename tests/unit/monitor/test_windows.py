"""What finished windows are remembered by: the order of features, two comparisons a window, and what raised an alarm."""

import json
from typing import Any

import numpy as np

from headgate_monitor.detectors import fit_reference
from headgate_monitor.service.windows import windows_json
from headgate_monitor.watch.alarm import Signal
from headgate_monitor.watch.deployment import DeploymentWatch, Plan, Version
from headgate_monitor.watch.record import REMEMBERED
from headgate_monitor.watch.rows import Rows
from headgate_monitor.watch.settings import Windows

NAMES = ("a", "b", "kind")
MONTH = 30 * 86_400.0


def rows(seed: int, count: int = 600, *, a: float = 0.0, b: float = 0.0, kinds: str = "xyz") -> list[list[Any]]:
    random = np.random.default_rng(seed)
    return [random.normal(a, 1, count).tolist(), random.normal(b, 1, count).tolist(), random.choice(list(kinds), count).tolist()]


def watching() -> DeploymentWatch:
    columns = dict(zip(NAMES, rows(99, 5000), strict=True))
    reference = fit_reference(columns, range(5000), {"a": "number", "b": "number", "kind": "category"}, window_rows=500)
    return DeploymentWatch(
        Plan(
            stable=Version("r1", reference),
            trial=None,
            weight=0,
            windows=Windows(rows=10_000, seconds=MONTH, false_alarm_seconds=10 * MONTH),
        ),
        at=0,
    )


def play(watch: DeploymentWatch, *months: dict[str, Any]) -> Any:
    for number, month in enumerate(months):
        watch.add("r1", Rows(rows(number, **month), month.get("count", 600)), (), (number + 0.5) * MONTH)
        watch.advance((number + 1) * MONTH)
    return watch.state.inputs["r1"]


def test_features_are_told_in_the_order_they_moved_with_histograms_that_show_it() -> None:
    found = play(watching(), {"a": 0.3, "b": 1.0})
    assert [feature.name for feature in found.moved] == ["b", "a", "kind"]
    first = found.moved[0]
    assert first.psi > 0.5 > first.js > 0.2
    assert sum(first.current[-5:]) > 300 > 5 * sum(first.current[:5])
    assert max(first.reference) - min(first.reference) < 5
    assert (sorted(map(str, found.moved[2].bins)), len(found.moved[2].current)) == (["x", "y", "z"], 4)


def test_a_change_that_stays_is_drift_from_training_but_not_from_the_window_before() -> None:
    found = play(watching(), {}, {"b": 1.0}, {"b": 1.0})
    said = [(record.reference, record.previous) for record in found.records]
    assert said == [(Signal.CLEAN, Signal.UNKNOWN), (Signal.SEVERE, Signal.SEVERE), (Signal.SEVERE, Signal.CLEAN)]
    assert [record.previous_alarm for record in found.records] == [False, True, False]
    assert found.alarm.message.endswith("nothing moved since the window before")
    reference, before = found.records[1].distances["b"]
    assert before is not None
    assert min(reference, before) > 0.3


def test_a_lone_window_above_its_floor_raises_no_alarm_and_a_second_one_does() -> None:
    found = play(watching(), {}, {"a": 0.38}, {}, {"a": 0.38}, {"a": 0.38})
    assert [record.alarm for record in found.records] == [False, False, False, True, True]
    assert [record.reference for record in found.records].count(Signal.DRIFT) == 3


def test_values_that_training_did_not_know_alarm_below_the_features_floor() -> None:
    found = play(watching(), {"kinds": "xyz" * 5 + "w"}, {"kinds": "xyz" * 5 + "w"})
    assert found.moved[0].name == "kind"
    assert found.moved[0].distance < 0.1
    assert "kind holds 6% more values that are no known category" in found.alarm.message


def test_what_is_remembered_is_bounded_and_goes_into_the_answer() -> None:
    watch = watching()
    found = play(watch, *[{"count": 120}] * (REMEMBERED + 3))
    assert len(found.records) == REMEMBERED
    answer = json.loads(windows_json(watch.state))
    assert answer["comparison"] is None
    assert answer["versions"]["r1"]["windows"][-1]["distances"].keys() == set(NAMES)
