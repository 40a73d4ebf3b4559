"""Commands about live objects, against a real API server double in which the test plays the operator."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.api.names import API_VERSION, COMMAND_ANNOTATION
from tests.waiting import eventually

NAME = "flight-delay"
AT = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
Command = Callable[..., Awaitable[Result]]


def pinned(id_: str, version: str, slot: int) -> dict[str, Any]:
    return {"id": id_, "modelUri": f"s3://m/{version}", "version": version, "isvc": f"x-{version}", "slot": slot}


RENDERED = {"inferenceService": {}, "servingRuntime": {}}
STATUS = {
    "observedGeneration": 1,
    "phase": "Progressing",
    "url": "http://flight-delay.ml.example.com",
    "stable": pinned("r1111aaaa", "6", 0) | {"since": AT},
    "candidate": pinned("r2222bbbb", "7", 1) | {"inputs": {}, "rendered": RENDERED, "startedAt": AT, "step": 1, "weight": 25},
    "traffic": [{"id": "r1111aaaa", "weight": 75, "requests": 421}, {"id": "r2222bbbb", "weight": 25, "requests": 140}],
    "analysis": {
        "candidate": "r2222bbbb",
        "candidateSlot": 1,
        "stableSlot": 0,
        "weight": 25,
        "metrics": [
            {
                "name": "errors", "evidence": 0.8, "bound": 5.3, "requestsNeeded": 180,
                "bad": {"candidate": 1, "stable": 3}, "total": {"candidate": 140, "stable": 421},
            }
        ],
    },
    "rejected": [{"id": "r0000cccc", "version": "5", "reason": "ErrorsWorse", "message": "8 of 60 failed", "at": "2026-11-20T10:00:00Z"}],
    "history": [
        {
            "id": "r1111aaaa", "modelUri": "s3://m/6", "version": "6", "isvc": "x-6", "promotedAt": "2026-11-19T10:00:00Z",
            "inputs": {}, "rendered": RENDERED,
        }
    ],
    "conditions": [
        {
            "type": "Ready", "status": "True", "reason": "Healthy", "message": "r1111aaaa (6) serves", "observedGeneration": 1,
            "lastTransitionTime": AT,
        }
    ],
}  # fmt: skip


class Cluster:
    """The API server and a hand on it."""

    def __init__(self, api: ApiClient, kubeconfig: Path, headgate: Callable[..., Result]) -> None:
        self.api = api
        self.kubeconfig = kubeconfig
        self._headgate = headgate

    async def run(self, *args: str) -> Result:
        """Run the command in a thread: it has an event loop of its own."""
        return await asyncio.to_thread(self._headgate, *args, "--kubeconfig", self.kubeconfig)

    async def deployment(self) -> dict[str, Any]:
        obj = await self.api.get(API_VERSION, "modeldeployments", "ml", NAME)
        assert obj is not None
        return obj

    async def set_status(self, **changes: Any) -> None:
        obj = await self.deployment()
        await self.api.replace_status(obj | {"status": obj.get("status", {}) | changes})

    async def operator_answers(self, result: str = "Applied") -> None:
        """Acknowledge the next command and remove it, as the operator does."""

        async def asked() -> Any:
            return (await self.deployment())["metadata"].get("annotations", {}).get(COMMAND_ANNOTATION)

        text = await eventually(asked)
        await self.set_status(lastCommand={"command": text, "at": AT, "result": result})
        await self.api.merge_patch(
            API_VERSION, "modeldeployments", "ml", NAME, {"metadata": {"annotations": {COMMAND_ANNOTATION: None}}}
        )  # fmt: skip


@pytest.fixture
async def cluster(tmp_path: Path, headgate: Callable[..., Result], build: Callable[..., dict[str, Any]]) -> AsyncIterator[Cluster]:
    async with ApiServer() as server, ApiClient(server.url) as api:
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        await api.apply(crd(), field_manager="test")
        await api.apply(build(), field_manager="test")
        running = Cluster(api, write_kubeconfig(tmp_path / "kubeconfig", server.url, namespace="ml"), headgate)
        await running.set_status(**STATUS)
        yield running


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
    waiting = asyncio.create_task(cluster.run("status", NAME, "--wait", "--revision", "r2222bbbb", "--timeout", "30s"))
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


async def test_abort_names_the_candidate_and_waits_for_the_acknowledgement(cluster: Cluster) -> None:
    answering = asyncio.create_task(cluster.operator_answers())
    result = await cluster.run("abort", NAME)
    await answering
    assert (result.exit_code, result.stdout) == (0, "r2222bbbb is refused; r1111aaaa (6) takes all traffic\n")


async def test_the_command_has_a_field_manager_of_its_own(cluster: Cluster) -> None:
    assert (await cluster.run("abort", NAME, "--no-wait")).stdout == "asked for abort@r2222bbbb\n"
    obj = await cluster.deployment()
    assert obj["metadata"]["annotations"] == {COMMAND_ANNOTATION: "abort@r2222bbbb"}
    owned = {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"] if not entry.get("subresource")}
    assert owned["headgate-cli"] == {"f:metadata": {"f:annotations": {f"f:{COMMAND_ANNOTATION}": {}}}}
    assert obj["metadata"]["generation"] == 1


async def test_a_command_that_is_ignored_ends_with_1_and_says_why(cluster: Cluster) -> None:
    answering = asyncio.create_task(cluster.operator_answers("Ignored: it is gone"))
    result = await cluster.run("abort", NAME)
    await answering
    assert result.exit_code == 1
    assert result.stderr == "headgate: error: abort@r2222bbbb: Ignored: it is gone\n"


async def test_during_the_watch_abort_means_the_promoted_version(cluster: Cluster) -> None:
    await cluster.set_status(candidate=None, previous=pinned("r9999", "5", 1) | {"since": AT})
    assert (await cluster.run("abort", NAME, "--no-wait")).stdout == "asked for abort@r1111aaaa\n"


async def test_retry_means_the_revision_refused_last(cluster: Cluster) -> None:
    assert (await cluster.run("retry", NAME, "--no-wait")).stdout == "asked for retry@r0000cccc\n"


async def test_retry_prefers_the_refused_revision_that_the_manifest_asks_for(cluster: Cluster) -> None:
    uri = (await cluster.deployment())["spec"]["model"]["uri"]
    asked_for = {"id": "r0000dddd", "modelUri": uri, "version": "4", "reason": "ErrorsWorse", "message": "", "at": AT}
    await cluster.set_status(rejected=[*STATUS["rejected"], asked_for])
    answering = asyncio.create_task(cluster.operator_answers())
    assert (await cluster.run("retry", NAME)).stdout == "r0000dddd (4) starts over; follow it with `headgate watch flight-delay -n ml`\n"
    await answering


async def test_retry_says_when_the_manifest_asks_for_something_else(cluster: Cluster) -> None:
    answering = asyncio.create_task(cluster.operator_answers())
    result = await cluster.run("retry", NAME)
    await answering
    assert result.stdout.startswith("r0000cccc (5) is no longer refused; it starts when the manifest asks for ")


@pytest.mark.parametrize(
    ("args", "text", "said"),
    [
        (["promote", NAME], "promote@r2222bbbb", "goes on to its next step"),
        (["promote", NAME, "--full"], "promote-full@r2222bbbb", "goes on to promotion"),
        (["promote", NAME, "--revision", "r2222bbbb"], "promote@r2222bbbb", "goes on to its next step"),
        (["pause", NAME], "pause@r2222bbbb", "keeps its weight until `headgate resume flight-delay -n ml`"),
        (["resume", NAME], "resume@r2222bbbb", "goes on from where it was paused"),
    ],
)
async def test_a_command_names_the_candidate_and_waits_for_the_acknowledgement(
    cluster: Cluster, args: list[str], text: str, said: str
) -> None:
    answering = asyncio.create_task(cluster.operator_answers())
    result = await cluster.run(*args)
    await answering
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"r2222bbbb {said}")
    assert (await cluster.deployment())["status"]["lastCommand"]["command"] == text


@pytest.mark.parametrize("changes", [{}, {"candidate": None}, {"history": [], "previous": pinned("r9999", "5", 1) | {"since": AT}}])
async def test_a_rollback_names_the_stable_revision(cluster: Cluster, changes: dict[str, Any]) -> None:
    earlier = STATUS["history"][0] | {"id": "r3333dddd"}
    await cluster.set_status(**({"history": [*STATUS["history"], earlier]} | changes))
    assert (await cluster.run("rollback", NAME, "--no-wait")).stdout == "asked for rollback@r1111aaaa\n"
    assert (await cluster.run("rollback", NAME, "--no-wait", "--revision", "r1111aaaa")).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "args", "sentence"),
    [
        ({"candidate": None}, ["promote", NAME], "flight-delay has no candidate: there is nothing to promote; r1111aaaa is stable"),
        ({"candidate": None, "stable": None}, ["pause", NAME], "flight-delay has no candidate: there is nothing to pause"),
        ({"candidate": None}, ["resume", NAME], "flight-delay has no candidate: there is nothing to resume; r1111aaaa is stable"),
        ({}, ["promote", NAME, "--revision", "r1"], "revision r1 of flight-delay is not the candidate; r2222bbbb is"),
        ({"stable": None}, ["rollback", NAME], "flight-delay has no stable revision yet: there is nothing to roll back"),
        ({}, ["rollback", NAME], "flight-delay has nothing to roll back to: no revision before r1111aaaa is in its history"),
        (
            {"history": [STATUS["history"][0] | {"id": "r0000cccc"}]},
            ["rollback", NAME],
            "flight-delay has nothing to roll back to: no revision before r1111aaaa is in its history that was not refused",
        ),
        ({}, ["rollback", NAME, "--revision", "r7"], "revision r7 of flight-delay is not the stable one; r1111aaaa is"),
        (
            {},
            ["rollback", NAME, "--revision", "r2222bbbb"],
            "revision r2222bbbb of flight-delay is the candidate, not the stable one: `headgate abort flight-delay` refuses it",
        ),
    ],
)
async def test_a_command_without_its_object_is_one_sentence_and_writes_nothing(
    cluster: Cluster, changes: dict[str, Any], args: list[str], sentence: str
) -> None:
    await cluster.set_status(**changes)
    result = await cluster.run(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"headgate: error: {sentence}")
    assert len(result.stderr.splitlines()) == 1
    assert "annotations" not in (await cluster.deployment())["metadata"]


async def test_a_command_that_comes_too_late_ends_with_1_and_says_why(cluster: Cluster) -> None:
    answering = asyncio.create_task(cluster.operator_answers("Ignored: it is not the candidate"))
    result = await cluster.run("promote", NAME)
    await answering
    assert (result.exit_code, result.stderr) == (1, "headgate: error: promote@r2222bbbb: Ignored: it is not the candidate\n")


async def test_the_same_words_again_wait_until_the_first_command_is_gone(cluster: Cluster) -> None:
    await cluster.set_status(lastCommand={"command": "promote@r2222bbbb", "at": AT, "result": "Applied", "removing": True})
    asked = asyncio.create_task(cluster.run("promote", NAME, "--no-wait"))
    done, _ = await asyncio.wait({asked}, timeout=1)
    assert not done
    await cluster.set_status(lastCommand={"command": "promote@r2222bbbb", "at": AT, "result": "Applied", "removing": False})
    assert (await asked).stdout == "asked for promote@r2222bbbb\n"


async def test_time_that_is_up_says_what_a_paused_rollout_waits_for(cluster: Cluster) -> None:
    reconciling = STATUS["conditions"][0] | {"type": "Reconciling", "reason": "PauseStep", "message": "promote@r2222bbbb lets it go on"}
    await cluster.set_status(phase="Paused", conditions=[*STATUS["conditions"], reconciling])
    result = await cluster.run("status", NAME, "--wait", "--timeout", "1s")
    assert result.exit_code == 3
    assert result.stderr == "headgate: error: flight-delay is still Paused after 1s: PauseStep, promote@r2222bbbb lets it go on\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["abort", NAME, "--revision", "r1111aaaa"], "revision r1111aaaa of flight-delay is not on trial; r2222bbbb is"),
        (["retry", NAME, "--revision", "r2"], "revision r2 of flight-delay was not refused; refused are: r0000cccc"),
        (["status", "nope"], "no ModelDeployment 'nope' in namespace ml; there are: flight-delay"),
        (["status", NAME, "-n", "other"], "no ModelDeployment 'flight-delay' in namespace other; there is none at all"),
    ],
)
async def test_what_does_not_apply_is_one_sentence(cluster: Cluster, args: list[str], sentence: str) -> None:
    result = await cluster.run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("headgate: error: ")
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("prepare", "args", "code", "sentence"),
    [
        (lambda path: path.unlink(), [], 2, "no kubeconfig at "),
        (lambda path: path.write_text("{"), [], 2, "cannot be read: "),
        (lambda path: path.write_text("words"), [], 2, "is not a kubeconfig: it has no clusters"),
        (lambda path: None, ["--context", "nope"], 2, "the kubeconfig has no context 'nope'; it has: "),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_is_one_sentence(
    cluster: Cluster, prepare: Any, args: list[str], code: int, sentence: str
) -> None:
    prepare(cluster.kubeconfig)
    result = await cluster.run("status", NAME, *args)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_an_api_server_that_is_gone_is_one_sentence(headgate: Callable[..., Result], tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9", namespace="ml")
    result = await asyncio.to_thread(headgate, "status", NAME, "--kubeconfig", config)
    assert result.exit_code == 1
    assert result.stderr.startswith("headgate: error: GET modeldeployments ml/flight-delay: ")
    assert len(result.stderr.splitlines()) == 1


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
        assert await asyncio.wait_for(watching.wait(), 20) == 0
    finally:
        if watching.returncode is None:
            watching.kill()
    assert "Traceback" not in seen.read_text()
