"""Commands that look at live objects, against a real API server double in which the test plays the operator."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_operator.api.names import API_VERSION
from tests.livedeployment import AT, NAME, STATUS, Cluster
from tests.waiting import eventually


async def test_status_shows_versions_evidence_conditions_and_refusals(cluster: Cluster) -> None:
    result = await cluster.run("status", NAME)
    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "ml/flight-delay Progressing"
    assert "http://flight-delay.ml.example.com" in lines
    assert any(line.startswith("stable r1111aaaa 6 75 % 421") for line in lines)
    assert any(line.startswith("candidate r2222bbbb 7 25 % 140") and line.endswith("step 2 of 3") for line in lines)
    assert "errors Undecided 0.80 of 5.30 1/140 3/421 180 requests" in lines
    assert any(line.startswith("Ready True Healthy r1111aaaa (6) serves") for line in lines)
    assert any(line.startswith("r0000cccc 5 ErrorsWorse") and line.endswith("8 of 60 failed") for line in lines)


async def test_status_shows_what_the_alias_points_to_and_the_last_training_run(cluster: Cluster) -> None:
    failed = {"version": "7", "alias": "champion", "at": AT, "failures": 3, "message": "HTTP 403"}
    registry = {"trackingURI": "http://mlflow:5000", "name": "flights", "alias": "candidate", "version": "7", "uri": "s3://m/7"}
    run = {"lastTrigger": "headgate-ml-w8", "cause": "temp drifted", "at": AT, "endpoint": "http://kfp", "lastRunId": "run-1"}
    await cluster.set_status(registry=registry | {"marks": [failed]}, retraining=run | {"state": "FAILED", "message": "no data"})
    lines = [" ".join(line.split()) for line in (await cluster.run("status", NAME)).stdout.splitlines()]
    assert "http://mlflow:5000 flights candidate 7 alias champion on version 7 not written yet (3 attempts): HTTP 403" in lines
    assert any(line.startswith("run-1 FAILED") and line.endswith("temp drifted no data") for line in lines)


async def test_status_says_that_the_operator_has_not_seen_the_manifest_yet(cluster: Cluster) -> None:
    await cluster.set_status(observedGeneration=0)
    assert "has not seen the latest manifest yet" in (await cluster.run("status", NAME)).stdout


@pytest.mark.parametrize(("output", "parse"), [("json", json.loads), ("yaml", yaml.safe_load)])
async def test_status_is_data_for_programs(cluster: Cluster, output: str, parse: Callable[[str], Any]) -> None:
    data = parse((await cluster.run("status", NAME, "-o", output)).stdout)
    assert (data["name"], data["namespace"], data["generation"]) == (NAME, "ml", 1)
    assert data["status"]["candidate"]["id"] == "r2222bbbb"


async def test_an_object_that_the_operator_never_saw_can_be_shown(cluster: Cluster, build: Callable[..., dict[str, Any]]) -> None:
    fresh = build()
    fresh["metadata"]["name"] = "fresh"
    await cluster.api.apply(fresh, field_manager="test")
    result = await cluster.run("status", "fresh")
    assert result.exit_code == 0
    assert "ml/fresh" in result.stdout


async def test_waiting_ends_with_3_when_the_time_is_up(cluster: Cluster) -> None:
    result = await cluster.run("status", NAME, "--wait", "--timeout", "1s")
    assert result.exit_code == 3
    assert result.stderr == "headgate: error: flight-delay is still Progressing after 1s\n"


async def test_waiting_ends_with_0_when_the_revision_was_promoted(cluster: Cluster) -> None:
    waiting = asyncio.create_task(cluster.run("status", NAME, "--wait", "--revision", "r2222bbbb", "--timeout", "2m"))
    await cluster.set_status(stable=STATUS["candidate"] | {"since": AT}, candidate=None, phase="Healthy")
    result = await waiting
    assert result.exit_code == 0
    assert "revision r2222bbbb was promoted and serves" in result.stderr


async def test_waiting_ends_with_1_when_the_revision_is_refused(cluster: Cluster) -> None:
    result = await cluster.run("status", NAME, "--wait", "--revision", "r0000cccc")
    assert result.exit_code == 1
    assert "revision r0000cccc (version 5) was refused, ErrorsWorse: 8 of 60 failed" in result.stderr


async def test_history_lists_promoted_and_refused_newest_first(cluster: Cluster) -> None:
    entries = json.loads((await cluster.run("history", NAME, "-o", "json")).stdout)
    assert [(entry["revision"], entry["outcome"], entry["reason"]) for entry in entries] == [
        ("r0000cccc", "Refused", "ErrorsWorse"),
        ("r1111aaaa", "Serving", ""),
    ]
    assert "r0000cccc" in (await cluster.run("history", NAME)).stdout


async def test_watch_prints_once_and_a_line_for_each_of_several(cluster: Cluster, build: Callable[..., dict[str, Any]]) -> None:
    other = build()
    other["metadata"]["name"] = "other"
    await cluster.api.apply(other, field_manager="test")
    one = await cluster.run("watch", NAME, "--once")
    assert one.exit_code == 0, one.output
    assert "0.80 of 5.30" in one.stdout
    for names in ([], ["other", NAME]):
        several = await cluster.run("watch", *names, "--once")
        lines = [line.split() for line in several.stdout.splitlines() if line.strip()]
        assert [line[0] for line in lines] == ["deployment", NAME, "other"], "what moves comes before what has not begun"
        assert lines[1][4:] == ["stable", "75", "%,", "candidate", "25", "%", "errors", "0.8", "of", "5.3", "Healthy"]


async def test_watch_says_when_there_is_nothing_and_when_it_is_asked_too_often(cluster: Cluster) -> None:
    assert "there is no ModelDeployment in this namespace" in (await cluster.run("watch", "--once", "-n", "empty")).stdout
    assert "no ModelDeployment 'nobody' in namespace ml" in (await cluster.run("watch", NAME, "nobody")).stderr
    refused = await cluster.run("watch", "--interval", "1ms")
    assert (refused.exit_code, "'1ms' is shorter than 200ms" in refused.stderr) == (2, True)


async def test_a_report_is_a_page_with_what_was_seen_and_the_events(cluster: Cluster, tmp_path: Path) -> None:
    uid = (await cluster.deployment())["metadata"]["uid"]
    for number, regarding in enumerate((uid, "somebody-else")):
        event = {
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": f"e{number}", "namespace": "ml"},
            "eventTime": "2026-11-20T10:00:00.000000Z", "reportingController": "x", "reportingInstance": "x", "action": "x",
            "reason": "StepStarted", "note": f"said by {regarding}", "type": "Normal",
            "regarding": {"apiVersion": API_VERSION, "kind": "ModelDeployment", "name": NAME, "namespace": "ml", "uid": regarding},
        }  # fmt: skip
        await cluster.api.create(event)
    page = tmp_path / "page.html"
    done = await cluster.run("report", NAME, "-o", str(page), "--for", "1s")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{page}: {NAME} is Progressing\n"
    text = page.read_text()
    assert f"said by {uid}" in text
    assert "somebody-else" not in text
    for words in ("8 of 60 failed", "1 of 140 (0.71 %)", "<figcaption", "r2222bbbb"):
        assert words in text
    nowhere = await cluster.run("report", NAME, "-o", str(tmp_path / "no" / "page.html"))
    assert (nowhere.exit_code, "cannot be written: No such file or directory" in nowhere.stderr) == (1, True)


async def test_watch_follows_until_it_is_interrupted(cluster: Cluster, tmp_path: Path) -> None:
    seen = tmp_path / "seen.txt"
    code = "from headgate_operator.cli.main import main; main()"
    with seen.open("wb") as output:
        watching = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "watch", NAME, "--kubeconfig", str(cluster.kubeconfig), stdout=output, stderr=output
        )
    try:
        await eventually(lambda: "r2222bbbb" in seen.read_text())
        watching.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(watching.wait(), 60) == 0
    finally:
        if watching.returncode is None:
            watching.kill()
            await watching.wait()
    assert "Traceback" not in seen.read_text()
