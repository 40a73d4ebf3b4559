"""The transcript: steps, their times and their errors, out of kfp's chatter."""

import io

from headgate_pipelines.transcript import StepRun, Transcript

CHATTER = """07:01:40.560 - INFO - Running pipeline: \x1b[95m'training'\x1b[0m
07:01:40.562 - INFO - Executing task \x1b[96m'ingest'\x1b[0m
07:01:40.562 - INFO - Streamed logs:

    [KFP Executor 2026-11-21 07:01:41,000 INFO]: Looking for component
    headgate: error: ingest: the data file 'x.csv' does not exist

07:01:41.397 - ERROR - Task \x1b[96m'ingest'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m
"""


def heard(text: str, *, piece: int = 7) -> tuple[Transcript, list[str], list[StepRun], str]:
    log, started, ended = io.StringIO(), [], []  # type: ignore[var-annotated]
    transcript = Transcript(log, started.append, ended.append)
    for at in range(0, len(text), piece):
        transcript.write(text[at : at + piece])
    return transcript, started, ended, log.getvalue()


def test_a_failing_step_is_named_with_its_own_words() -> None:
    transcript, started, ended, log = heard(CHATTER)
    assert (started, [run.name for run in ended]) == (["ingest"], ["ingest"])
    assert transcript.failed == ended[0]
    assert ended[0].sentence == "ingest: the data file 'x.csv' does not exist"
    assert "\x1b" not in log
    assert "Looking for component" in log


def test_a_step_that_ends_well_is_not_a_failure() -> None:
    transcript, _, ended, _ = heard(CHATTER.replace("FAILURE", "SUCCESS"))
    assert transcript.failed is None
    assert [run.cached for run in ended] == [False]


def test_a_cached_step_is_heard() -> None:
    _, started, ended, _ = heard("Task validate-data cache hit (key=0123456789ab); skipping execution.\n")
    assert (started, ended) == (["validate-data"], [StepRun("validate-data", 0.0, cached=True, key="0123456789ab")])


def test_the_exception_of_a_crashed_step_is_its_last_line() -> None:
    transcript, *_ = heard(CHATTER.replace("headgate: error: ingest: the data file 'x.csv' does not exist", "ValueError: surprise"))
    assert transcript.failed is not None
    assert transcript.failed.sentence == "ingest: ValueError: surprise; its output is in the log"


def test_what_fails_after_the_first_failure_is_not_its_reason() -> None:
    later = CHATTER.replace("ingest", "summarize-run").replace("x.csv", "y.csv")
    transcript, _, ended, _ = heard(CHATTER + later)
    assert transcript.failed == ended[0]
    assert [run.sentence[:6] for run in ended] == ["ingest", "summar"]
