import io

import pytest
from rich.console import Console

from headgate_devcluster.demo.recorder import Recorder, Told
from headgate_devcluster.demo.view import View

SINCE = "2026-01-02T03:04:05Z"


def pinned(revision: str, version: str) -> dict[str, object]:
    return {"id": revision, "modelUri": f"file:///m/{version}", "version": version, "isvc": f"m-{revision}", "slot": 0, "since": SINCE}


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    counts = {"bad": {"candidate": 28, "stable": 3}, "total": {"candidate": 1445, "stable": 12013}}
    metrics = [
        {"name": name, "verdict": "Undecided", "evidence": 4.5, "bound": 5.3, "promotionEvidence": 13.2, "promotionBound": 3.0, **counts}
        for name in ("errors", "latency")
    ]
    analysis = {"candidate": "r6cc39ec7", "candidateSlot": 1, "stableSlot": 0, "weight": 5, "metrics": metrics}
    traffic = [{"id": "r6cc39ec7", "weight": 95}, {"id": "rda5b56be", "weight": 5}]
    previous = pinned("rda5b56be", "1-aa") | {"weight": 5}
    status = {"stable": pinned("r6cc39ec7", "2-bb"), "previous": previous, "traffic": traffic, "analysis": analysis}
    recorder.saw_status({"status": status})
    for _ in range(12345):
        recorder.tally.answered("r6cc39ec7", 200, 0.123)
    return recorder


def drawn(recorder: Recorder, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    view = View(console, recorder)
    view.say("training version 3 at low priority: its encoder knows only the 50 most frequent destinations and raises on the others")
    view.say(f"exported to file:///{'folder/' * 12}end")
    with view:
        view.refresh()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_nothing_is_cut_off_in_a_terminal_of_80_columns(recorder: Recorder) -> None:
    text = drawn(recorder, 80)
    assert "…" not in text
    for word in ("requests", "r6cc39ec7", "previous", "12345", "123 ms", "Undecided", "4.5 of 5.3", "13.2 of 3.0", "28/1445", "3/12013"):
        assert word in text


def test_without_a_terminal_everything_that_happens_is_one_line(recorder: Recorder) -> None:
    console = Console(file=io.StringIO(), width=40)
    with View(console, recorder) as view:
        view.say("replaying the flights of July 2013 in time order, 75 requests a second")
        view.tell(Told(1.0, "Promoted", "r6cc39ec7 (2-bb) replaces rda5b56be as stable", warning=False))
        view.refresh()
    assert isinstance(console.file, io.StringIO)
    said, told = console.file.getvalue().splitlines()
    assert said.endswith("s  replaying the flights of July 2013 in time order, 75 requests a second")
    assert told.endswith("s  Promoted r6cc39ec7 (2-bb) replaces rda5b56be as stable")
