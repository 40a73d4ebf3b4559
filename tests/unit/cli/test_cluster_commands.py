"""Commands that tell the operator what to do, against a real API server double in which the test plays the operator."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.names import COMMAND_ANNOTATION
from tests.livedeployment import AT, NAME, STATUS, Cluster, pinned


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
        (lambda path: path.write_text("{"), [], 2, "it is no YAML (line 1); mend it"),
        (lambda path: path.write_text("words"), [], 2, "it is not a kubeconfig, as it has no clusters"),
        (lambda path: None, ["--context", "nope"], 2, "it has no context 'nope'; it has: "),
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
    assert result.stderr.endswith(
        f"; is the cluster of the kubeconfig {config} running, and is it the right one (--kubeconfig, --context)?\n"
    )
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("status", NAME), ("doctor", "--skip", "evidence")])
async def test_credentials_that_are_not_accepted_say_whose_they_are(headgate: Callable[..., Result], tmp_path: Path, command: Any) -> None:
    async with ApiServer(rbac=True) as server:
        config = write_kubeconfig(tmp_path / "kubeconfig", Access(server.url, "expired"))
        result = await asyncio.to_thread(headgate, *command, "--kubeconfig", config)
    assert result.exit_code == 1
    told = result.output.replace("\n", " ")
    assert "Unauthorized" in told
    assert "log in again" in told
