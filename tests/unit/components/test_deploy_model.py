"""A registered version as a manifest: in a file, in a git working tree, and in a cluster up to the verdict."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from headgate_components.deployment.deploy_model import logic
from headgate_components.deployment.deploy_model.cluster import api_server, wait
from headgate_components.deployment.deploy_model.manifest import Target, Version, documents, render
from headgate_components.deployment.deploy_model.verdict import verdict
from headgate_components.polling import Clock
from headgate_components.rest import Server, ServerError, Token
from headgate_components.step import StepError
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.cli.main import main

GOLDEN = json.dumps({"request": {"inputs": []}, "outputs": {"probability": [0.25]}}, indent=1)
TARGET = Target("flight-delay", "ml")
BY_HAND = """\
# Ours; ask the platform team before you change the steps.
apiVersion: headgate.dev/v1alpha1
kind: ModelDeployment
metadata: {name: flight-delay, namespace: ml}
spec:
  model:
    uri: file:///models/flight-delay/1-old  # written by the pipeline
    format: {name: xgboost, version: "3"}
    runtime: headgate-xgboost
  rollout:
    steps: [{weight: 5}, {weight: 50, pause: true}]
  analysis: {metrics: [{name: errors, preset: gateway-errors, maximum: "1%"}]}
  parity:
    golden: {configMap: flight-delay-1-golden}
"""


def version(number: int = 7) -> Version:
    return Version("flight-delay", str(number), f"file:///models/flight-delay/{number}-abc", GOLDEN)


def only(text: str, kind: str) -> dict[str, Any]:
    (found,) = [document for document in documents(text) if document["kind"] == kind]
    return found


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working tree with one commit and a bare remote `origin`, on a machine where git knows nobody."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    folder = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "tree")
    git(folder, "checkout", "--quiet", "-B", "main")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--allow-empty", "-m", "start")
    git(folder, "push", "--quiet", "origin", "main")
    return folder


def commit(tree: Path, number: int = 7, *, remote: str = "", file: str = "models/flight-delay.yaml") -> str:
    return logic.commit(version(number), TARGET, repository=str(tree), file=file, base="", remote=remote).sentence


def test_the_default_manifest_is_one_the_operator_takes(tmp_path: Path) -> None:
    text = render(version(), TARGET)
    (tmp_path / "manifest.yaml").write_text(text)
    found = CliRunner().invoke(main, ["lint", str(tmp_path / "manifest.yaml")])
    assert found.exit_code == 0, found.output
    golden = only(text, "ConfigMap")
    assert golden["data"]["golden.json"] == GOLDEN
    assert only(text, "ModelDeployment")["spec"]["parity"]["golden"] == {"configMap": golden["metadata"]["name"]}


def test_an_existing_manifest_keeps_everything_but_the_version(tmp_path: Path) -> None:
    text = render(version(), TARGET, BY_HAND)
    assert text.startswith(
        BY_HAND.replace("1-old", "7-abc")
        .replace("file:///models/flight-delay/7-abc", json.dumps(version().uri), 1)
        .replace("flight-delay-1-golden", "flight-delay-7-golden")
    )
    again = render(version(8), TARGET, text)
    assert [document["metadata"]["name"] for document in documents(again)] == ["flight-delay-8-golden", "flight-delay"]
    assert render(version(8), TARGET, again) == again
    assert "# written by the pipeline" in again


def test_a_manifest_without_a_golden_set_gets_none() -> None:
    text = render(version(), TARGET, BY_HAND.partition("  parity:")[0])
    assert [document["kind"] for document in documents(text)] == ["ModelDeployment"]


@pytest.mark.parametrize(
    ("base", "says"),
    [
        (BY_HAND.replace("name: flight-delay,", "name: other,"), "one ModelDeployment named 'flight-delay'; it holds other"),
        ("a: [", "is not valid YAML"),
        (BY_HAND.replace("    uri:", "    urn:"), "has no spec.model.uri"),
        (BY_HAND + "---\n" + BY_HAND, "it holds flight-delay, flight-delay"),
    ],
)
def test_a_manifest_that_cannot_be_started_from_is_refused(base: str, says: str) -> None:
    with pytest.raises(StepError, match=says):
        render(version(), TARGET, base)


@pytest.mark.parametrize("name", ["Flight_Delay", "-x", "", "a" * 41])
def test_a_name_that_kubernetes_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="lower-case letters, digits and hyphens"):
        Target(name, "ml")


def test_a_file_is_written_and_then_only_its_version_changes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "flight-delay.yaml"
    logic.write_file(version(1), TARGET, file=str(path), base="")
    path.write_text(path.read_text().replace("250ms", "100ms"))
    logic.write_file(version(2), TARGET, file=str(path), base="")
    deployment = only(path.read_text(), "ModelDeployment")
    assert deployment["spec"]["analysis"]["metrics"][1]["slowerThan"] == "100ms"
    assert deployment["spec"]["model"]["uri"] == version(2).uri
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_version_is_committed_once_and_alone(tree: Path) -> None:
    (tree / "unrelated").write_text("somebody works here")
    git(tree, "add", "unrelated")
    assert "committed as" in commit(tree)
    before = git(tree, "rev-parse", "HEAD")
    assert "says version 7 already" in commit(tree)
    assert git(tree, "rev-parse", "HEAD") == before
    assert git(tree, "show", "--name-only", "--format=%s", "HEAD").split("\n\n") == [
        "deploy flight-delay version 7",
        "models/flight-delay.yaml",
    ]
    assert git(tree, "status", "--porcelain") == "A  unrelated"


def test_what_was_committed_but_not_pushed_is_pushed_by_the_next_run(tree: Path) -> None:
    commit(tree)
    assert commit(tree, remote="origin").endswith("already and pushed to origin/main")
    assert git(tree.parent / "remote.git", "rev-parse", "main") == git(tree, "rev-parse", "HEAD")


def test_what_was_written_but_not_committed_is_committed_by_the_next_run(tree: Path) -> None:
    (tree / "models").mkdir()
    (tree / "models" / "flight-delay.yaml").write_text(render(version(), TARGET))
    assert "committed as" in commit(tree)


def test_a_push_that_is_refused_says_why_and_keeps_the_commit(tree: Path) -> None:
    git(tree.parent, "clone", "--quiet", "remote.git", "other")
    git(tree.parent / "other", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--allow-empty", "-m", "faster")
    git(tree.parent / "other", "push", "--quiet", "origin", "main")
    with pytest.raises(StepError, match=r"could not be pushed to origin/main; the commit stays here: .*rejected"):
        commit(tree, remote="origin")
    assert git(tree, "log", "-1", "--format=%s") == "deploy flight-delay version 7"


def test_somebodys_unfinished_change_is_not_committed(tree: Path) -> None:
    commit(tree)
    path = tree / "models" / "flight-delay.yaml"
    path.write_text(path.read_text().replace("250ms", "1s"))
    with pytest.raises(StepError, match="has changes that are not committed"):
        commit(tree, 8)
    assert "1s" in path.read_text()


def test_what_is_no_working_tree_on_a_branch_is_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="does not exist; clone"):
        commit(tmp_path / "nowhere")
    with pytest.raises(StepError, match="is not inside a git working tree"):
        commit(tmp_path)
    for outside in ("../x.yaml", "/etc/x.yaml", ".git/config", ""):
        with pytest.raises(StepError, match="is not inside the git working tree"):
            commit(tree, file=outside)
    git(tree, "checkout", "--quiet", "--detach")
    with pytest.raises(StepError, match="detached HEAD"):
        commit(tree)


@pytest.fixture
async def api() -> AsyncIterator[ApiClient]:
    async with ApiServer() as server, ApiClient(server.url) as client:
        await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        await client.apply(crd(), field_manager="test")
        client.address = server.url  # type: ignore[attr-defined]
        yield client


async def applied(api: Any, *, seconds: float = 0, number: int = 7) -> logic.Deployed:
    server = Server(url=api.address)
    return await asyncio.to_thread(logic.apply_and_wait, version(number), TARGET, server, base="", wait_seconds=seconds)


async def say(api: ApiClient, **status: Any) -> None:
    body = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "flight-delay", "namespace": "ml"}}
    found = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    assert found is not None
    await api.apply(
        body | {"status": {"observedGeneration": found["metadata"]["generation"]} | status}, field_manager="operator", subresource="status"
    )


def pinned(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "modelUri": version(number).uri, "version": str(number), "isvc": "x"} | more


async def test_an_applied_version_is_there_with_its_golden_set_and_again_changes_nothing(api: Any) -> None:
    assert (await applied(api)).sentence == "version 7 was applied as ModelDeployment ml/flight-delay"
    before = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    await applied(api)
    after = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert await api.get("v1", "configmaps", "ml", "flight-delay-7-golden")


async def test_the_verdict_is_waited_for(api: Any) -> None:
    await applied(api)
    waiting = asyncio.create_task(applied(api, seconds=30))
    await say(api, phase="Healthy", stable=pinned(7, since="2026-01-01T00:00:00Z"))
    assert "version 7 was promoted and serves" in (await waiting).sentence


async def test_a_refused_version_fails_with_the_operators_reason(api: Any) -> None:
    await applied(api)
    refused = {
        "id": "r7",
        "modelUri": version().uri,
        "version": "7",
        "reason": "ParityMismatch",
        "message": "3 of 20 answers differ",
        "at": "2026-01-01T00:00:00Z",
    }
    await say(api, phase="RolledBack", stable=pinned(6, since="2026-01-01T00:00:00Z"), rejected=[refused])
    with pytest.raises(StepError, match="version 7 was refused, ParityMismatch: 3 of 20 answers differ"):
        await applied(api, seconds=30)


async def test_a_field_that_somebody_else_manages_is_not_taken_over(api: Any) -> None:
    theirs = only(render(version(6), TARGET), "ModelDeployment")
    await api.apply(theirs, field_manager="a-person")
    with pytest.raises(ServerError, match=r"\(409\).*a-person"):
        await applied(api)


async def test_no_verdict_in_time_says_where_the_rollout_stands(api: Any) -> None:
    await applied(api)
    await say(api, phase="Holding")
    passed = iter(range(100))
    clock = Clock(now=lambda: next(passed), sleep=lambda _: None)
    with pytest.raises(StepError, match=r"no verdict on ModelDeployment ml/flight-delay after 3 s \(Holding\)"):
        await asyncio.to_thread(wait, Server(url=api.address), TARGET, uri=version().uri, generation=1, seconds=3, clock=clock)


def test_what_was_said_about_an_earlier_manifest_is_no_verdict() -> None:
    found = {"spec": {"model": {"uri": "u"}}, "status": {"observedGeneration": 1, "stable": {"modelUri": "u"}}}
    assert verdict(found, uri="u", generation=2) is None
    assert verdict(found, uri="u", generation=1) is not None


def test_a_watch_is_part_of_the_rollout_and_another_manifest_ends_it() -> None:
    found = {"spec": {"model": {"uri": "u"}}, "status": {"observedGeneration": 1, "stable": {"modelUri": "u"}, "previous": {"id": "r1"}}}
    assert verdict(found, uri="u", generation=1) is None
    ended = verdict(found, uri="another", generation=1)
    assert ended is not None
    assert "was changed to u" in ended.sentence


def test_outside_of_a_pod_an_address_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(StepError, match="this is not a pod; give its address"):
        api_server()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    found = api_server()
    assert found.url == "https://[fd00::1]:6443"
    assert found.ca is not None


def test_a_token_file_is_read_for_every_request(tmp_path: Path) -> None:
    import requests

    token = Token(file=tmp_path / "token")
    for content in ("one", "two"):
        (tmp_path / "token").write_text(f"{content}\n")
        assert token(requests.Request("GET", "http://x").prepare()).headers["Authorization"] == f"Bearer {content}"
    (tmp_path / "token").unlink()
    with pytest.raises(ServerError, match="cannot be read: No such file"):
        token(requests.Request("GET", "http://x").prepare())


def test_the_yaml_is_readable() -> None:
    assert "golden.json: |-" in render(version(), TARGET)
    assert list(yaml.safe_load_all(render(version(), TARGET)))
