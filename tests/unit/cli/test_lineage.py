"""`headgate lineage`: the whole chain, and what of it is known when something cannot be asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import Result

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from tests.served import everything, routes, served

AT = "2026-11-20T10:00:00Z"
URI = "s3://models/flight-delay/3-abc"
TAGS = {
    "headgate.dataset": "flights.parquet",
    "headgate.snapshot": "sha256:aa",
    "headgate.rows": "131072",
    "headgate.trainStart": "2013-01-01",
    "headgate.trainEnd": "2013-05-01",
    "headgate.featuresDigest": "sha256:bb",
    "headgate.referenceDigest": "sha256:cc",
    "headgate.gitCommit": "c0ffee",
    "headgate.pipelineRun": "run-7",
    "headgate.storageUri": URI,
    "headgate.status": "Promoted",
}
Headgate = Callable[..., Awaitable[Result]]


def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def registry() -> web.Application:
    version = {
        "name": "delay",
        "version": "3",
        "creation_timestamp": 1_763_632_800_000,
        "run_id": "0a1b",
        "tags": pairs(TAGS),
        "aliases": ["champion"],
    }
    run = {
        "info": {"status": "FINISHED", "end_time": 1_763_632_800_000},
        "data": {"metrics": pairs({"rocAuc": 0.777}), "params": pairs({"trees": "200"})},
    }

    async def newest(request: web.Request) -> web.Response:
        known = request.query["filter"] == "name = 'delay'" and request.query["order_by"] == "version_number DESC"
        return web.json_response({"model_versions": [version]} if known else {})

    async def found(request: web.Request) -> web.Response:
        if request.query.get("alias", "champion") != "champion" or request.query.get("version", "3") != "3":
            return web.json_response({"message": "not found"}, status=404)
        return web.json_response({"model_version": version})

    async def run_of(_: web.Request) -> web.Response:
        return web.json_response({"run": run})

    api = "/api/2.0/mlflow"
    return routes(
        web.get(f"{api}/model-versions/search", newest),
        web.get(f"{api}/model-versions/get", found),
        web.get(f"{api}/registered-models/alias", found),
        web.get(f"{api}/runs/get", run_of),
    )


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async with served(registry()) as address:
        yield address


@pytest.fixture
async def run(tmp_path: Path, headgate: Callable[..., Result], build: Callable[..., dict[str, Any]]) -> AsyncIterator[Headgate]:
    """Run the command beside a cluster where one deployment serves version 3 and another one refused it."""
    places = {"id": "r1111aaaa", "modelUri": URI, "version": "3", "isvc": "x"}
    statuses = {
        "served": {"stable": {**places, "slot": 0, "since": AT}},
        "refusing": {
            "rejected": [{"id": "r1111aaaa", "modelUri": URI, "version": "3", "reason": "ErrorsWorse", "message": "8 of 60", "at": AT}]
        },
        "other": {"stable": {**places, "modelUri": "s3://models/other/3", "slot": 0, "since": AT}},
    }
    async with ApiServer() as api_server, ApiClient(api_server.url) as api:
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        await api.apply(crd(), field_manager="test")
        for name, status in statuses.items():
            manifest = build(owner={"team": "rail"})
            manifest["metadata"]["name"] = name
            created = await api.apply(manifest, field_manager="test")
            await api.replace_status(created | {"status": status})
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", api_server.url, namespace="ml")
        yield lambda *args: asyncio.to_thread(headgate, "lineage", *args, "--kubeconfig", kubeconfig)


async def test_the_chain_leads_from_data_to_every_place_of_the_version(run: Headgate, server: str) -> None:
    result = await run("delay", "--tracking-uri", server)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "delay, version 3",
        "data        flights.parquet",
        "            sha256:aa",
        "            131,072 rows, 2013-01-01 to 2013-05-01",
        "features    sha256:bb",
        "reference   sha256:cc",
        "run         0a1b FINISHED ended 2025-11-20T10:00:00+00:00",
        "            git commit c0ffee",
        "            pipeline run run-7",
        "            rocAuc 0.777",
        "registered  2025-11-20T10:00:00+00:00 as champion",
        f"            {URI}",
        "            Promoted",
        "deployments ml/refusing (owner rail): refused version 3 as r1111aaaa since 2026-11-20T10:00:00+00:00 ErrorsWorse",
        "            ml/served (owner rail): stable version 3 as r1111aaaa since 2026-11-20T10:00:00+00:00",
    ]


async def test_programs_get_the_same_as_json(run: Headgate, server: str) -> None:
    chain = json.loads((await run("delay", "--version", "3", "--tracking-uri", server, "-o", "json", "-A")).stdout)
    assert [(place["name"], place["role"]) for place in chain["deployments"]] == [("refusing", "refused"), ("served", "stable")]
    assert chain["run"]["parameters"] == {"trees": "200"}
    assert chain["notes"] == []


async def test_without_a_registry_the_deployments_of_that_version_are_shown(run: Headgate) -> None:
    result = await run("served", "--version", "3")
    assert result.exit_code == 1
    assert "deployments ml/served (owner rail): stable version 3" in result.stdout
    assert "data        not known" in result.stdout
    sentence = "the registry is not known: name it with --tracking-uri or $MLFLOW_TRACKING_URI; no ModelDeployment here follows 'served'"
    assert result.stderr == f"headgate: error: {sentence}\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nobody"], "{server} has no version of a model 'nobody'"),
        (["delay", "--alias", "best"], "{server} has no alias 'best' of a model 'delay'"),
        (["delay", "--version", "9"], "{server} has no version 9 of a model 'delay'"),
    ],
)
async def test_what_the_registry_does_not_have_is_named(headgate: Any, server: str, args: list[str], sentence: str) -> None:
    result = await asyncio.to_thread(headgate, "lineage", *args, "--tracking-uri", server, "--kubeconfig", "nowhere")
    assert result.exit_code == 1
    assert sentence.format(server=server) in result.stderr
    assert "deployments are not known: no kubeconfig at nowhere" in result.stderr
    assert "deployments not known" in result.stdout


async def test_a_server_that_is_none_and_one_that_is_down_are_named(headgate: Any) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async with served(everything(page)) as address:
        result = await asyncio.to_thread(headgate, "lineage", "delay", "--tracking-uri", address, "--kubeconfig", "nowhere")
    assert f"{address} answered something that is not JSON" in result.stderr
    result = await asyncio.to_thread(headgate, "lineage", "delay", "--tracking-uri", address, "--kubeconfig", "nowhere")
    assert f"{address} cannot be reached" in result.stderr


async def test_a_cluster_that_is_down_hides_nothing_of_the_registry(headgate: Any, server: str, tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9", namespace="ml")
    result = await asyncio.to_thread(headgate, "lineage", "delay", "--tracking-uri", server, "--kubeconfig", kubeconfig)
    assert result.exit_code == 1
    assert "run         0a1b FINISHED" in result.stdout
    assert "headgate: error: deployments are not known: " in result.stderr


def test_a_file_that_is_no_registry_is_named(headgate: Any, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database")
    for path, sentence in (
        (tmp_path / "x.db", "x.db cannot be read as an MLflow registry: "),
        (tmp_path / "y.db", "there is no registry "),
    ):
        result = headgate("lineage", "delay", "--tracking-uri", f"sqlite:///{path}", "--kubeconfig", "nowhere")
        assert result.exit_code == 1
        assert sentence in result.stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--version", "3", "--alias", "a"], "--version and --alias exclude each other"),
        (["--version", "new"], "'new' is no version; versions are whole numbers, names are for --alias"),
        (["--tracking-uri", "ftp://x"], "the tracking URI 'ftp://x' is neither http(s)://… nor sqlite:///PATH"),
        (["--token-file", "t"], "--token-file needs --tracking-uri"),
    ],
)
def test_wrong_usage_is_refused(headgate: Any, args: list[str], sentence: str) -> None:
    result = headgate("lineage", "delay", *args, "--kubeconfig", "nowhere")
    assert result.exit_code == 2
    assert sentence in result.stderr
