"""The audit log: what its lines say, and that no crash, full disk or slow writer loses one or holds anybody up."""

import errno
import json
import os
import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headgate_operator.api.names import COMMAND_ANNOTATION
from headgate_operator.api.status import ChangeKind, ModelDeploymentStatus, TrafficChange, TrafficShare
from headgate_operator.controller.audit.log import AuditLog
from headgate_operator.controller.audit.sinks import FileSink
from headgate_operator.controller.resources import HTTP_ROUTES, MODEL_DEPLOYMENTS
from headgate_operator.rollout.observed import Subject
from tests.drama import SPEC, Drama
from tests.waiting import eventually

KEY = ("ml", "flight-delay")
SUBJECT = Subject(name=KEY[1], namespace=KEY[0], uid="u1", generation=3)


def read(path: Path) -> list[Any]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def change(number: int) -> TrafficChange:
    at = datetime(2026, 3, 1, 12, 0, number % 60, tzinfo=UTC)
    shares = [TrafficShare(id="r0000000a", weight=100)]
    return TrafficChange(number=number, kind=ChangeKind.DECIDED, at=at, generation=3, after=shares, reason="Promoted", actor="headgate")


def status(*numbers: int) -> ModelDeploymentStatus:
    return ModelDeploymentStatus(traffic_changes=[change(number) for number in numbers])


class Trouble:
    """A sink that refuses or waits for as long as it is told to."""

    def __init__(self) -> None:
        self.well = threading.Event()
        self.blocks = False
        self.lines: list[bytes] = []

    def known(self) -> set[str]:
        return set()

    def append(self, lines: bytes) -> None:
        if self.blocks:
            self.well.wait(10)
        elif not self.well.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.lines += lines.splitlines()

    def close(self) -> None:
        pass


class Operators:
    """One operator process after the other, all of which write to the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dies: Callable[[], bool] = lambda: False
        self.deaths = 0
        self._log = AuditLog(FileSink(path))
        self._past: list[AuditLog] = []

    def on_record(self, snapshot: Any, decision: Any) -> None:
        before, after = snapshot.observed.status, decision.status
        if before.traffic_changes != after.traffic_changes and self.dies():
            self.deaths += 1
            self._past.append(self._log)
            self._log = AuditLog(FileSink(self.path))
            return
        self._log.tell(KEY, snapshot.observed.subject, before, after)

    async def lines(self) -> list[Any]:
        for log in (*self._past, self._log):
            await log.close()
        return read(self.path)


async def rolled_back(world: Any, operators: Operators) -> Any:
    """A first version serves, the second one fails and is refused."""
    drama = Drama(world, deadly=False)
    drama.on_record = operators.on_record
    await world.manifest(**SPEC)
    first = await drama.play(lambda status: status.phase == "Healthy")
    await world.manifest(uri="s3://models/flight-delay/bad", **SPEC)
    trial = await drama.play(lambda status: status.candidate is not None)
    drama.failing = {trial.candidate.id: 0.4}
    await drama.play(lambda status: status.rejected and not status.draining)
    return first.stable.id, trial.candidate.id


async def test_a_rollback_is_told_with_weights_cause_and_numbers_and_then_that_it_happened(world: Any, tmp_path: Path) -> None:
    operators = Operators(tmp_path / "audit.jsonl")
    good, bad = await rolled_back(world, operators)
    lines = await operators.lines()
    assert [(one["kind"], one["reason"], one["weights"]["after"]) for one in lines] == [
        ("Decided", "FirstRevision", {good: 100}),
        ("Carried", "Ready", {good: 100}),
        ("Decided", "StepStarted", {good: 80, bad: 20}),
        ("Carried", "Ready", {good: 80, bad: 20}),
        ("Decided", "StepStarted", {good: 50, bad: 50}),
        ("Carried", "Ready", {good: 50, bad: 50}),
        ("Decided", "ErrorsWorse", {good: 100}),
        ("Carried", "Ready", {good: 100}),
    ]
    refusal = lines[6]
    assert refusal["weights"]["before"] == {good: 50, bad: 50}
    assert refusal["stable"] == {"before": good, "after": good}
    assert (refusal["actor"], refusal["command"], refusal["format"], refusal["repeated"]) == ("headgate", None, 1, False)
    assert (refusal["object"]["namespace"], refusal["object"]["name"]) == KEY
    (numbers,) = refusal["evidence"]
    assert numbers["metric"] == "errors"
    assert numbers["evidence"] >= numbers["bound"] > 0
    assert numbers["bad"]["candidate"] > 0


@pytest.mark.parametrize("every", [1, 2])
async def test_a_line_that_a_crash_kept_from_being_written_appears_after_the_restart(world: Any, tmp_path: Path, every: int) -> None:
    """The process dies after its status is stored, before it has written anything down."""
    operators = Operators(tmp_path / "audit.jsonl")
    turns = iter(range(1000))
    operators.dies = lambda: next(turns) % every == 0
    await rolled_back(world, operators)
    lines = await operators.lines()
    assert operators.deaths >= 3
    assert [one["number"] for one in lines] == list(range(1, 9)), "each one, once, in order"
    assert any(one["repeated"] for one in lines)
    assert max(Counter(one["id"] for one in lines).values()) == 1


async def test_who_wanted_a_change_is_named_by_the_command_or_the_edit(world: Any, tmp_path: Path) -> None:
    operators = Operators(tmp_path / "audit.jsonl")
    drama = Drama(world, deadly=False)
    drama.on_record = operators.on_record
    await world.manifest(**SPEC)
    good = (await drama.play(lambda status: status.phase == "Healthy")).stable.id
    await world.manifest(uri="s3://models/flight-delay/2", **SPEC)
    candidate = (await drama.play(lambda status: status.candidate is not None and status.candidate.weight == 20)).candidate.id
    await drama.play(lambda status: len(status.traffic) == 2)
    route = await world.get(HTTP_ROUTES)
    route["spec"]["rules"][0]["backendRefs"][0]["weight"], route["spec"]["rules"][0]["backendRefs"][1]["weight"] = 0, 100
    meta = {key: route["metadata"][key] for key in ("name", "namespace")}
    edit = {key: route[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": meta}
    await world.admin.apply(HTTP_ROUTES, edit, field_manager="kubectl-edit")
    await drama.act()
    metadata = {"name": KEY[1], "namespace": KEY[0], "annotations": {COMMAND_ANNOTATION: f"abort@{candidate}"}}
    obj = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "metadata": metadata}
    await world.admin.apply(MODEL_DEPLOYMENTS, obj, field_manager="headgate-cli")
    await drama.play(lambda status: status.rejected and not status.candidate)
    lines = await operators.lines()
    (edited,) = [one for one in lines if one["kind"] == "Edited"]
    assert (edited["actor"], edited["reason"], edited["weights"]["after"]) == ("kubectl-edit", "ChildRestored", {candidate: 100})
    (aborted,) = [one for one in lines if one["reason"] == "Aborted"]
    assert (aborted["actor"], aborted["command"], aborted["weights"]["after"]) == ("headgate-cli", f"abort@{candidate}", {good: 100})


async def test_a_full_disk_holds_nobody_up_and_its_lines_are_written_once_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    sink, counted = Trouble(), Counter[str]()
    log = AuditLog(sink, counted=lambda result, count: counted.update({result: count}))
    log.tell(KEY, SUBJECT, status(), status(1, 2))
    await eventually(lambda: "No space left on device" in caplog.text)
    log.tell(KEY, SUBJECT, status(1, 2), status(1, 2, 3))
    sink.well.set()
    await eventually(lambda: len(sink.lines) == 3)
    await log.close()
    assert [json.loads(text)["number"] for text in sink.lines] == [1, 2, 3]
    assert (counted["written"], counted["lost"]) == (3, 0)
    assert "can be written again" in caplog.text


async def test_what_a_writer_has_no_room_for_waits_in_the_status_and_what_leaves_it_unwritten_is_counted() -> None:
    sink, counted = Trouble(), Counter[str]()
    sink.blocks = True
    log = AuditLog(sink, counted=lambda result, count: counted.update({result: count}), capacity=1)
    log.tell(KEY, SUBJECT, status(), status(1))
    await eventually(lambda: log.waiting == 0)  # the writer has it in hand
    log.tell(KEY, SUBJECT, status(1), status(1, 2))
    log.tell(KEY, SUBJECT, status(1, 2), status(1, 2, 3, 4))  # no room for these
    log.tell(KEY, SUBJECT, status(1, 2, 3, 4), status(4, 5))  # 3 is gone for good
    sink.well.set()
    await eventually(lambda: len(sink.lines) == 2)
    log.tell(KEY, SUBJECT, status(4, 5), status(4, 5))
    await eventually(lambda: len(sink.lines) == 3)
    log.tell(KEY, SUBJECT, status(4, 5), status(4, 5))
    await log.close()
    assert [json.loads(text)["number"] for text in sink.lines] == [1, 2, 4, 5]
    assert counted["lost"] == 1


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Let no file of this process grow beyond some bytes: as on a full disk, the line that does not fit is written in part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_line_is_taken_back(tmp_path: Path, small_disk: Callable[[int], None]) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")
    sink.append(b"one\n")
    small_disk(6)
    with pytest.raises(OSError, match="File too large"):
        sink.append(b"twotwo\n")
    assert (tmp_path / "audit.jsonl").read_bytes() == b"one\n"
    small_disk(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    sink.append(b"two\n")
    assert (tmp_path / "audit.jsonl").read_bytes() == b"one\ntwo\n"


def test_files_are_bounded_in_size_and_number_and_followed_when_moved(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = FileSink(path, largest=10, kept=2)
    for number in range(5):
        sink.append(b"line %d!\n" % number)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "audit.jsonl": "line 4!\n", "audit.jsonl.1": "line 3!\n", "audit.jsonl.2": "line 2!\n",
    }  # fmt: skip
    path.rename(tmp_path / "collected")
    sink.append(b"six\n")
    assert path.read_text() == "six\n"
    assert path.stat().st_mode & 0o7777 == 0o640
