"""The monitor without HTTP: questions, events, verdicts, restarts. The clock is a variable."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate_monitor.collector.events import Event
from headgate_monitor.collector.labels import Label
from headgate_monitor.detectors import fit_reference
from headgate_monitor.service.engine import LARGEST_DEPLOYMENTS, Engine
from headgate_monitor.service.state import StateError, Store
from headgate_monitor.service.wire import Answer, Question
from headgate_monitor.watch.alarm import Signal

NAMES = ("a", "b")


class Bench:
    """An engine, what is sent to it, and its time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_000_000.0
        self.sent = 0
        self.random = np.random.default_rng(5)
        columns = {name: np.random.default_rng(index).normal(size=5000).tolist() for index, name in enumerate(NAMES)}
        fit_reference(columns, range(5000), dict.fromkeys(NAMES, "number"), window_rows=200).write(folder / "reference")
        self.start()

    def start(self) -> None:
        self.store = Store(self.folder / "state")
        self.engine = Engine(self.store, lambda: self.now)

    def question(self, *, trial: Any = True, weight: int = 20, rows: int = 200, **changes: Any) -> Question:
        uri = f"file://{self.folder}/reference"
        content = {
            "stable": {"id": "r1", "reference": uri},
            "trial": ({"id": "r2", "reference": uri} if trial is True else trial) or None,
            "trialWeight": weight,
            "drift": {"window": {"rows": rows, "duration": "5m", "minimumRows": 100}, "onInputDrift": "Alert"},
            "retraining": {},
        }
        return Question.model_validate(content | changes)

    def ask(self, **changes: Any) -> Answer:
        return self.engine.ask("flights", self.question(**changes))

    def send(self, version: str, count: int, *, shift: float = 0.0, predictions: Any = None, seconds: float = 60) -> None:
        """So many requests with their responses, then some time."""
        for row in self.random.normal(size=(count, len(NAMES))):
            self.sent += 1
            inputs = {"instances": [{"a": row[0] + shift, "b": row[1]}]}
            answer = {"predictions": [row[1] if predictions is None else predictions(row[1])]}
            for request, body in ((True, inputs), (False, answer)):
                self.engine.take([Event("flights", version, str(self.sent), request, json.dumps(body).encode())])
        self.now += seconds


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.__exit__()


def signals(answer: Answer) -> dict[str, Signal]:
    names = ("input", "candidate_input", "routing", "prediction", "quality")
    return {name: getattr(answer, name).signal for name in names if getattr(answer, name).signal is not Signal.CLEAN}


def test_before_any_window_ended_nothing_is_known_and_the_sentence_says_when_it_will_be(bench: Bench) -> None:
    answer = bench.ask()
    assert set(signals(answer).values()) == {Signal.UNKNOWN}
    assert answer.window == 0
    assert answer.input.message == "stable's requests: no window has ended yet; one ends after 200 rows or 300 s"
    assert answer.reference.startswith("sha256:")
    assert len(answer.reference) <= 80


def test_two_versions_that_are_alike_are_clean(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250)
    bench.send("r2", 250)
    answer = bench.ask()
    assert signals(answer) == {}
    assert answer.window == 3


def test_a_changed_world_is_severe_for_both_versions_and_neither_routing_nor_prediction(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250, shift=1.0)
    bench.send("r2", 250, shift=1.0)
    answer = bench.ask()
    assert signals(answer) == {"input": Signal.SEVERE, "candidate_input": Signal.SEVERE}
    assert answer.input.message.startswith("stable's requests against the reference: a 0.")
    assert answer.top[0].feature == "a"


def test_other_predictions_on_the_same_requests_are_prediction_drift_alone(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250)
    bench.send("r2", 250, predictions=lambda value: value + 1)
    assert signals(bench.ask()) == {"prediction": Signal.SEVERE}


@pytest.mark.parametrize("broken", [lambda _: None, lambda _: float("nan"), lambda _: float("inf"), lambda _: 0.5])
def test_answers_that_are_no_numbers_or_always_the_same_are_severe_before_the_window_is_full(bench: Bench, broken: Any) -> None:
    bench.ask()
    bench.send("r1", 150, seconds=1)
    bench.send("r2", 120, predictions=broken, seconds=1)
    assert bench.ask().quality.signal is Signal.SEVERE


def test_a_window_that_saw_the_weight_change_compares_nothing(bench: Bench) -> None:
    bench.ask(weight=5)
    bench.send("r1", 150, shift=1.0)
    bench.send("r2", 150)
    bench.ask(weight=25)
    bench.send("r1", 150)
    bench.send("r2", 150)
    assert bench.ask(weight=25).routing.signal is Signal.UNKNOWN
    bench.send("r1", 150)
    bench.send("r2", 150)
    assert bench.ask(weight=25).routing.signal is Signal.CLEAN


def test_labels_of_other_clients_compare_nothing(bench: Bench) -> None:
    truth = {"horizon": "1000s"}
    for shift in (1.0, 0.0):
        bench.ask(groundTruth=truth)
        first = bench.sent + 1
        bench.send("r1", 250, seconds=0)
        bench.send("r2", 250, shift=shift, seconds=20)
        bench.engine.label("flights", [Label(str(number), 0, 1.0) for number in range(first, bench.sent + 1)])
        bench.engine.tick()
        said = bench.ask(groundTruth=truth)
        assert (said.routing.signal, said.coverage.signal) == ((Signal.SEVERE, Signal.UNKNOWN) if shift else (Signal.CLEAN, Signal.CLEAN))
        bench.ask(groundTruth=truth, trial=False)  # another trial begins


def test_silence_is_not_clean(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250)
    bench.send("r2", 250)
    assert signals(bench.ask()) == {}
    bench.now += 301
    answer = bench.ask()
    assert set(signals(answer)) == {"input", "candidate_input", "routing", "prediction", "quality"}
    assert answer.input.message == "stable's requests: fewer than 100 rows in a window"


def test_a_restart_keeps_finished_windows_and_knows_what_to_collect(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250, shift=1.0)
    bench.send("r2", 250)
    before = bench.ask()
    assert signals(before)
    bench.store.__exit__()
    bench.start()
    bench.send("r1", 10)
    assert bench.engine.counts["collected", "request"] == 10
    assert bench.ask() == before


def test_the_promoted_version_takes_its_windows_with_it(bench: Bench) -> None:
    bench.ask()
    bench.send("r1", 250)
    bench.send("r2", 250, shift=1.0)
    number = bench.ask().window
    uri = f"file://{bench.folder}/reference"
    answer = bench.ask(trial=False, stable={"id": "r2", "reference": uri})
    assert answer.input.signal is Signal.SEVERE
    assert answer.input.message.startswith("the trial's requests")
    assert answer.window >= number


def test_severe_drift_is_stale_after_an_hour_and_not_while_answers_are_broken(bench: Bench) -> None:
    for _ in range(3):
        bench.ask()
        bench.send("r1", 260, shift=1.0)
    assert bench.ask().stale.signal is Signal.CLEAN
    for _ in range(13):
        bench.send("r1", 260, shift=1.0, seconds=290)
        bench.ask()
    assert bench.ask().stale.signal is Signal.SEVERE


def test_what_nobody_asked_about_or_what_is_ours_is_counted_and_ignored(bench: Bench) -> None:
    bench.ask()
    parity = '{"X-Headgate-Parity": ["1"]}'
    bench.engine.take([
        Event("other", "r1", "1", True, b"{}"), Event("flights", "r9", "2", True, b"{}"), Event("flights", "r1", "3", True, b"{}", parity),
    ])  # fmt: skip
    assert {reason: bench.engine.counts["ignored", reason] for reason in ("deployment", "version", "parity")} == {
        "deployment": 1, "version": 1, "parity": 1,
    }  # fmt: skip


def test_malformed_bodies_and_strange_values_are_counted_and_the_others_still_judged(bench: Bench) -> None:
    bench.ask()
    bodies = [b"nonsense", b'{"instances": [{"a": "x", "b": 1}]}', b'{"instances": [{"b": 1}]}', b'{"instances": [{"a": [1], "b": {}}]}',
              b'{"instances": [{"a": ' + b"9" * 400 + b', "b": 1}]}']  # fmt: skip
    for number, body in enumerate(bodies):
        for request in (True, False):
            bench.engine.take([Event("flights", "r1", f"bad{number}", request, body)])
    bench.send("r1", 250)
    bench.send("r2", 250)
    assert signals(bench.ask()) == {}
    assert bench.engine.counts["malformed", "json"] >= 1


def test_requests_that_only_the_trial_does_not_understand_are_a_matter_of_quality(bench: Bench) -> None:
    bench.ask()
    for _ in range(3):
        bench.send("r1", 250, seconds=1)
        for number in range(120):
            body = b'{"instances": [{"b": 1}]}'
            bench.engine.take([Event("flights", "r2", f"{bench.now}-{number}", request, body) for request in (True, False)])
        bench.send("r2", 200)
        answer = bench.ask()
    assert answer.quality.signal is Signal.DRIFT
    assert "do not fit the reference" in answer.quality.message


def test_without_a_reference_the_sentence_says_why_and_predictions_are_still_compared(bench: Bench) -> None:
    elsewhere = {"stable": {"id": "r1", "reference": "s3://m/1"}, "trial": {"id": "r2", "reference": f"file://{bench.folder}/none"}}
    bench.ask(**elsewhere)
    bench.send("r1", 250)
    bench.send("r2", 250, predictions=lambda value: value + 1)
    answer = bench.ask(**elsewhere)
    assert answer.input.message == "the drift reference s3://m/1 is not on a volume: the monitor reads file:// URIs alone"
    assert "lacks a readable" in answer.candidate_input.message
    assert (answer.input.signal, answer.routing.signal, answer.prediction.signal) == (Signal.UNKNOWN, Signal.UNKNOWN, Signal.SEVERE)


def test_a_reference_that_arrives_later_is_found(bench: Bench) -> None:
    bench.ask(stable={"id": "r1", "reference": f"file://{bench.folder}/later"})
    (bench.folder / "reference").rename(bench.folder / "later")
    bench.now += 31
    assert "no window has ended" in bench.ask(stable={"id": "r1", "reference": f"file://{bench.folder}/later"}).input.message


def test_features_that_the_manifest_does_not_watch_do_not_alarm(bench: Bench) -> None:
    drift = {"window": {"rows": 200, "duration": "5m"}, "features": {"exclude": ["a"]}}
    bench.ask(drift=drift)
    bench.send("r1", 250, shift=1.0)
    bench.send("r2", 250)
    assert signals(bench.ask(drift=drift)) == {}


def test_the_number_of_deployments_is_bounded(bench: Bench) -> None:
    for number in range(LARGEST_DEPLOYMENTS + 5):
        bench.engine.ask(f"m{number}", bench.question(trial=False, stable={"id": "r1", "reference": "s3://m"}))
    assert bench.engine.deployments == LARGEST_DEPLOYMENTS


def test_a_clock_that_jumps_back_stops_nothing(bench: Bench) -> None:
    bench.ask()
    bench.now -= 7200
    bench.send("r1", 250)
    bench.send("r2", 250)
    assert signals(bench.ask()) == {}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"the state in .* cannot be used"):
        Store(tmp_path / "file")


def test_a_folder_is_one_monitors_alone_and_free_when_that_ends(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StateError, match="is in use by another monitor; end that one, or give each its own --state"):
        Store(tmp_path)
    with Store(tmp_path) as again:
        assert again.read() == []


def test_nothing_is_stale_where_nothing_is_retrained_on_input_drift(bench: Bench) -> None:
    for retraining in (None, {"inputDrift": False, "skillDrop": "50%"}):
        for _ in range(15):
            bench.ask(retraining=retraining)
            bench.send("r1", 260, shift=1.0, seconds=290)
        answer = bench.ask(retraining=retraining)
        assert answer.input.signal is Signal.SEVERE
        assert answer.stale.signal is Signal.UNKNOWN
