"""The summary of a run: what failed and why, and every step; never a failure of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from headgate_components import step as steps
from headgate_components.deployment.summarize_run.component import summarize_run
from headgate_components.deployment.summarize_run.logic import NOTES, Step, ask, read_notes
from headgate_components.step import StepError, step
from tests.kfpserver import KfpServer, kfp_server

TIMES = {"create_time": "2026-01-01T00:00:00Z", "start_time": "2026-01-01T00:00:01Z", "end_time": "2026-01-01T00:00:03.5Z"}


@pytest.fixture
def kfp() -> Iterator[KfpServer]:
    with kfp_server() as running:
        failed = {"display_name": "gate", "state": "FAILED", "error": {"message": "the data\ndid not pass"}, **TIMES}
        tasks = [failed, {"display_name": "ingest", "state": "SUCCEEDED", **TIMES, "create_time": "2025-12-31T00:00:00Z"}]
        running.objects["runs"].append({"run_id": "r1", "display_name": "x", "run_details": {"task_details": tasks}})
        yield running


def summarized(folder: Path, *, api: str = "", state: str = "FAILED") -> str:
    summary = SimpleNamespace(path=str(folder / "summary"))
    status = SimpleNamespace(state=state, error_message=None)
    summarize_run.python_func(status, summary, pipeline="training", run="r1", kubeflow_api=api)
    return (folder / "summary").read_text()


def test_the_steps_are_asked_for_in_the_order_they_were_made(kfp: KfpServer) -> None:
    assert ask(kfp.url, "r1") == [Step("ingest", "SUCCEEDED", 2.5), Step("gate", "FAILED", 2.5, "the data did not pass")]


def test_what_failed_comes_first_in_its_own_words(kfp: KfpServer, tmp_path: Path) -> None:
    assert summarized(tmp_path, api=kfp.url).startswith("# training: failed\n\n**gate** failed: the data did not pass\n\n| step |")


def test_an_api_that_does_not_answer_is_told_and_fails_nothing(kfp: KfpServer, tmp_path: Path) -> None:
    kfp.instead = lambda *_: (403, b'{"message": "no"}')
    assert "The steps are not listed here:" in summarized(tmp_path, api=kfp.url)
    kfp.instead = lambda *_: (200, b'{"run_details": {"task_details": ["x"]}}')
    assert "something that is not a run" in summarized(tmp_path, api=kfp.url)


def test_without_an_api_the_outcome_alone_is_told(tmp_path: Path) -> None:
    assert summarized(tmp_path, state="SUCCEEDED") == "# training: succeeded\n\n"


def test_a_local_run_has_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tmp_path / "steps.jsonl"
    notes.write_text(json.dumps({"name": "evaluate", "state": "CACHED", "seconds": 0.0, "reports": ["/x/evaluate/report"]}) + "\n")
    monkeypatch.setenv(NOTES, str(notes))
    assert "| evaluate | cached | 0.0 | [evaluate](/x/evaluate/report) |" in summarized(tmp_path)
    notes.write_text("{")
    assert "cannot be read" in summarized(tmp_path)
    with pytest.raises(StepError, match="cannot be read"):
        read_notes(tmp_path / "nowhere")


def test_a_group_that_failed_because_of_its_step_is_not_told_twice_nor_is_what_started_it(kfp: KfpServer, tmp_path: Path) -> None:
    also = {"root": "FAILED", "exit-handler-1": "FAILED", "gate-driver": "SUCCEEDED"}
    tasks = kfp.objects["runs"][0]["run_details"]["task_details"]
    tasks += [{"display_name": name, "state": state, **TIMES} for name, state in also.items()]
    found = summarized(tmp_path, api=kfp.url)
    assert found.count("** failed") == 1
    assert "**gate** failed: the data did not pass" in found
    assert not [name for name in also if name in found]


def test_a_step_that_never_began_is_told_by_its_driver(kfp: KfpServer, tmp_path: Path) -> None:
    driver = {"display_name": "train-driver", "state": "FAILED", "error": {"message": "no such input"}, **TIMES}
    kfp.objects["runs"][0]["run_details"]["task_details"] = [driver, {"display_name": "root", "state": "FAILED", **TIMES}]
    assert "**train-driver** failed: no such input" in summarized(tmp_path, api=kfp.url)


def test_in_a_pod_the_sentence_is_the_containers_termination_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "termination-log"
    monkeypatch.setattr(steps, "TERMINATION_LOG", log)
    with pytest.raises(SystemExit), step("gate"):
        raise StepError("no")
    assert not log.exists()
    log.touch()
    with pytest.raises(SystemExit), step("gate"):
        raise StepError("no")
    assert log.read_text() == "gate: no"
