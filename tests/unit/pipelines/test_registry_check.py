"""A registry that cannot take the model is found before anything is trained."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner

from headgate_components.step import StepError
from headgate_devcluster.errors import free_port
from headgate_pipelines.command import pipeline
from headgate_pipelines.registry_check import check_registry
from tests.served import everything, served


async def answering(status: int, path: str = "") -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with served(everything(answer)) as url:
        await asyncio.to_thread(check_registry, url + path)


def test_nothing_is_run_where_nothing_answers(tmp_path: Path) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    options = ("--months", "7", "--model-name", "m", "--tracking-uri", uri, "--output", str(tmp_path / "runs"))
    result = CliRunner().invoke(pipeline, ["run", "validation", "--local", "--data", "flights", *options])
    assert result.exit_code == 1
    why = "nothing answers there; is the MLflow server up, and is that its address?"
    assert result.stderr.splitlines() == [f"headgate: error: the model registry {uri} cannot be used: {why}"]
    assert not (tmp_path / "runs").exists()


async def test_a_server_that_is_unwell_is_told() -> None:
    with pytest.raises(StepError, match="it answers HTTP 503; look at the MLflow server's log"):
        await answering(503)


@pytest.mark.parametrize("status", [200, 401, 404])
async def test_any_other_answer_will_do(status: int) -> None:
    await answering(status, "/")


def test_a_database_is_opened_by_the_step_that_writes_into_it() -> None:
    check_registry("sqlite:///no/such/folder/x.db")
