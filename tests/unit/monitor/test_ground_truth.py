"""Labels in the monitor without HTTP: late, early, repeated, corrected, for nobody; too many; across a restart. The clock is a variable."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate_monitor.collector.events import Event
from headgate_monitor.collector.labels import Label
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.state import Store
from headgate_monitor.service.truths import UnwantedError
from headgate_monitor.service.wire import Answer, Question
from headgate_monitor.watch.alarm import Signal

HORIZON = 1000.0  # seconds; a cohort lasts 10
TRUTH = {"horizon": "1000s", "joinOn": "x-request-id"}


class Bench:
    """An engine whose operator asks about labels, and its time."""

    def __init__(self, folder: Path, limit: int = 500_000) -> None:
        self.folder, self.limit = folder, limit
        self.now = 1_700_000_000.0
        self.random = np.random.default_rng(5)
        self.sent = 0
        self.start()

    def start(self) -> None:
        self.store = Store(self.folder / "state")
        self.engine = Engine(self.store, lambda: self.now, predictions=self.limit)

    def ask(self, **changes: Any) -> Answer:
        content = {
            "stable": {"id": "r1", "reference": "s3://m"},
            "trial": {"id": "r2", "reference": "s3://m"},
            "trialWeight": 20,
            "groundTruth": TRUTH,
        } | changes
        return self.engine.ask("flights", Question.model_validate({name: value for name, value in content.items() if value is not None}))

    def predict(self, version: str, request: str, *predictions: float, metadata: str | None = None) -> None:
        self.sent += 1
        headers = json.dumps({"X-Request-Id": [request]}) if metadata is None else metadata
        instances, answer = {"instances": [[0.0]] * len(predictions)}, {"predictions": list(predictions)}
        for is_request, body in ((True, instances), (False, answer)):
            self.engine.take([Event("flights", version, f"e{self.sent}", is_request, json.dumps(body).encode(), headers)])

    def label(self, *labels: Label) -> dict[str, int]:
        counts, _ = self.engine.label("flights", labels)
        return dict(+counts)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.engine.tick()

    def hour(self, *, worse: float = 0.0, count: int = 30, labelled: bool = True, versions: tuple[str, ...] = ("r1", "r2")) -> None:
        """A cohort, labelled at once."""
        labels = []
        for version in versions:
            for _ in range(count):
                truth = self.random.beta(1, 2)
                off = version == "r2" and self.random.random() < worse
                request = f"q{self.sent}"
                self.predict(version, request, 1 - truth if off else truth)
                labels.append(Label(request, 0, float(self.random.random() < truth)))
        if labelled:
            self.label(*labels)
        self.pass_time(11)
        self.pass_time(3)

    @property
    def shown(self) -> dict[str, tuple[int, int]]:
        return {version: (side.predictions, side.labelled) for version, side in self.engine.truths.shown["flights"].sides.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.ask()
    yield made
    made.store.__exit__()


def test_a_label_finds_its_prediction_by_id_and_row_once(bench: Bench) -> None:
    bench.predict("r1", "a", 0.5, 0.6)
    assert bench.label(Label("a", 0, 1.0), Label("a", 1, 0.0), Label("a", 2, 0.0), Label("b", 0, 1.0)) == {"accepted": 2, "unknown": 2}
    assert bench.label(Label("a", 0, 1.0)) == {"repeated": 1}
    assert +bench.engine.truths.counts == {"accepted": 2, "unknown": 2, "repeated": 1}


def test_the_latest_label_counts_in_whatever_order_they_come_and_however_clocks_go(bench: Bench) -> None:
    bench.predict("r1", "a", 0.5)
    hours = 3600.0
    assert bench.label(Label("a", 0, 0.0, bench.now - 2 * hours)) == {"accepted": 1}
    assert bench.label(Label("a", 0, 1.0, bench.now - hours)) == {"corrected": 1}
    assert bench.label(Label("a", 0, 0.0, bench.now - 3 * hours)) == {"outdated": 1}
    assert bench.label(Label("a", 0, 0.0, bench.now + 5 * hours)) == {"corrected": 1}
    bench.now += 1
    assert bench.label(Label("a", 0, 1.0)) == {"corrected": 1}


def test_a_label_that_comes_before_its_prediction_is_joined_for_an_hour(bench: Bench) -> None:
    assert bench.label(Label("a", 0, 1.0), Label("b", 0, 1.0)) == {"unknown": 2}
    bench.pass_time(60)
    bench.predict("r1", "a", 0.5)
    assert bench.label(Label("a", 0, 1.0)) == {"repeated": 1}
    bench.pass_time(3600)
    bench.label()  # what is too old goes with the next labels
    bench.predict("r1", "b", 0.5)
    assert bench.label(Label("b", 0, 1.0)) == {"accepted": 1}


@pytest.mark.parametrize(
    ("metadata", "body", "request_id"),
    [
        ('{"X-Request-Id": ["from-header"]}', {"id": "from-body"}, "from-header"),
        ('{"x-request-id": "from-header"}', {}, "from-header"),
        ("{}", {"id": "from-body"}, "from-body"),
        ("", {}, "from-event"),
        ("nonsense", {}, "from-event"),
        ("[1]", {}, "from-event"),
        ('{"X-Request-Id": [7]}', {}, "from-event"),
    ],
)
def test_the_id_is_the_headers_or_else_the_bodys_or_else_the_events(
    bench: Bench, metadata: str, body: dict[str, Any], request_id: str
) -> None:
    for is_request, content in ((True, {"instances": [[1.0]]} | body), (False, {"predictions": [0.5]})):
        bench.engine.take([Event("flights", "r1", "from-event", is_request, json.dumps(content).encode(), metadata)])
    assert bench.label(Label(request_id, 0, 1.0)) == {"accepted": 1}


def test_a_candidate_that_is_worse_only_on_labels_is_told_of_and_an_equal_one_is_not(bench: Bench) -> None:
    for _ in range(15):
        bench.hour(worse=0.9)
    answer = bench.ask()
    assert answer.ground_truth.signal is Signal.SEVERE
    assert answer.coverage.signal is Signal.CLEAN
    bench.ask(trial={"id": "r3", "reference": "s3://m"})
    for _ in range(15):
        bench.hour(versions=("r1", "r3"))
    assert not bench.ask(trial={"id": "r3", "reference": "s3://m"}).ground_truth.signal.alarms


def test_cohorts_are_counted_when_nearly_all_labels_are_there_or_the_horizon_is_over(bench: Bench) -> None:
    bench.hour(labelled=False)
    assert bench.ask().ground_truth.message == "no labels are due yet"
    bench.hour()
    assert bench.shown == {"r1": (30, 30), "r2": (30, 30)}
    bench.pass_time(HORIZON)
    assert bench.shown == {"r1": (60, 30), "r2": (60, 30)}
    bench.pass_time(HORIZON)
    assert bench.store.ledger.sizes() == {}


def test_a_pause_of_the_monitor_loses_no_cohort_and_counts_none_twice(bench: Bench) -> None:
    bench.hour()
    bench.hour(labelled=False)
    bench.predict("r1", "late", 0.5)
    bench.predict("r2", "never", 0.5)
    bench.pass_time(1)
    before = bench.ask()
    bench.store.__exit__()
    bench.start()
    assert bench.ask() == before
    assert bench.shown == {"r1": (30, 30), "r2": (30, 30)}
    assert bench.label(Label("late", 0, 1.0)) == {"accepted": 1}
    bench.pass_time(HORIZON + 20)  # the cohort that was open ends only now, so its labels may still come
    assert bench.shown == {"r1": (60, 30), "r2": (60, 30)}
    bench.pass_time(HORIZON + 20)
    assert bench.shown == {"r1": (61, 31), "r2": (61, 30)}


def test_labels_that_come_for_one_version_only_compare_nothing(bench: Bench) -> None:
    for _ in range(10):
        bench.hour(worse=0.9, versions=("r1",))
        bench.hour(labelled=False)
    bench.pass_time(HORIZON)
    answer = bench.ask()
    assert answer.ground_truth.signal is Signal.UNKNOWN
    for _ in range(4):
        labels = [Label(f"s{bench.sent + n}", 0, 1.0) for n in range(20)]
        for label in labels:
            bench.predict("r1", label.request, 0.5)
            bench.predict("r2", f"t{label.request}", 0.1)
        bench.label(*labels)
        bench.pass_time(11)
    bench.pass_time(HORIZON + 20)
    answer = bench.ask()
    assert answer.coverage.signal is Signal.DRIFT
    assert answer.ground_truth.signal is Signal.UNKNOWN


def test_mirrored_requests_are_compared_with_themselves(bench: Bench) -> None:
    for number in range(60):
        label = Label(f"m{number}", 0, float(number % 2))
        bench.predict("r1", label.request, 0.2 + 0.6 * label.value)
        bench.label(label)
        bench.predict("r2", label.request, 0.3 + 0.4 * label.value)  # its own row finds the label that is known
    bench.pass_time(11)
    assert bench.shown == {"r1": (60, 60), "r2": (60, 60)}
    state = bench.engine.truths._truths["flights"].state.trial
    assert (state.compared, state.paired) == (60, 60)


def test_another_weight_ends_the_cohort_and_another_pair_the_evidence(bench: Bench) -> None:
    bench.hour(worse=0.9)
    bench.ask(trialWeight=50)
    assert bench.shown["r2"] == (30, 30)
    bench.ask(trial=None, trialWeight=0)
    assert bench.ask(trialWeight=5).ground_truth.message == "no labels are due yet"


def test_nothing_is_compared_while_the_versions_get_different_requests(bench: Bench) -> None:
    bench.hour(labelled=False)
    bench.engine.truths.distrust("flights")
    bench.pass_time(HORIZON + 20)
    assert bench.ask().ground_truth.message == "no labels are due yet"


def test_beyond_the_limit_a_share_of_the_ids_is_kept_the_same_for_both_versions(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limit=1000)
    bench.ask()
    for number in range(1500):
        bench.predict("r1", f"q{number}", 0.5)
        bench.predict("r2", f"q{number}", 0.5)
    bench.pass_time(1)
    assert bench.store.ledger.sizes()["flights"] <= 1000
    found = bench.label(*(Label(f"q{number}", 0, 1.0) for number in range(1500)))
    assert found.keys() == {"accepted", "shed"}
    assert 300 < found["accepted"] <= 500
    bench.pass_time(11)
    stable, trial = bench.shown["r1"], bench.shown["r2"]
    assert stable == trial == (found["accepted"],) * 2
    bench.store.__exit__()


def test_labels_that_nobody_asked_for_are_refused_and_what_was_kept_goes_with_the_question(bench: Bench) -> None:
    with pytest.raises(UnwantedError, match="no operator asked for labels of other"):
        bench.engine.label("other", [Label("a", 0, 1.0)])
    bench.predict("r1", "a", 0.5)
    bench.pass_time(1)
    answer = bench.ask(groundTruth=None)
    assert answer.ground_truth.message == "the manifest has no groundTruth, so no labels are taken"
    assert bench.store.ledger.sizes() == {}
    with pytest.raises(UnwantedError):
        bench.label(Label("a", 0, 1.0))


def test_lost_skill_makes_the_stable_version_stale(bench: Bench) -> None:
    quiet = {"trial": None, "trialWeight": 0, "retraining": {"inputDrift": False, "skillDrop": "50%"}}
    assert bench.ask(**quiet).stale.signal is Signal.UNKNOWN
    for hour in range(60):
        for number in range(50):
            truth = float(bench.random.random() < 0.4)
            said = truth * 0.5 + 0.2 if hour < 20 else float(bench.random.random() * 0.5 + 0.15)
            bench.predict("r1", f"h{hour}-{number}", said)
            bench.label(Label(f"h{hour}-{number}", 0, truth))
        bench.pass_time(1800)
        bench.pass_time(1800)
        if hour == 19:
            assert bench.ask(**quiet).stale.signal is Signal.CLEAN
    answer = bench.ask(**quiet)
    assert (answer.skill.signal, answer.stale.signal) == (Signal.SEVERE, Signal.SEVERE)
    assert answer.stale.message.startswith("skill ")
    bench.store.__exit__()
    bench.start()
    assert bench.ask(**quiet).skill == answer.skill
