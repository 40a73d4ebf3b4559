"""`headgate pipeline submit` and `schedule` beside a stub that checks every request against the published OpenAPI."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headgate_components.polling import Clock
from headgate_components.rest import Server
from headgate_components.step import StepError
from headgate_devcluster.errors import free_port
from headgate_pipelines.command import pipeline
from headgate_pipelines.kubeflow.api import Kubeflow
from headgate_pipelines.kubeflow.submission import Compiled, submit
from headgate_pipelines.kubeflow.waiting import wait
from tests.kfpcontract import BreachError, check_request
from tests.kfpserver import KfpServer, kfp_server


@pytest.fixture
def kfp() -> Iterator[KfpServer]:
    with kfp_server() as running:
        yield running


def call(kfp: KfpServer, command: str, *arguments: str, name: str = "batch-score") -> Result:
    return CliRunner().invoke(pipeline, [command, name, "--host", kfp.url, *arguments], catch_exceptions=False)


def failed(result: Result) -> str:
    assert result.exit_code == 1
    assert result.stderr.startswith("headgate: error: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_a_submission_uploads_the_pipeline_and_starts_a_run_in_the_experiment(kfp: KfpServer) -> None:
    result = call(kfp, "submit", "--set", "batch_rows=1000", "--set", "version=7", "--namespace", "ml")
    assert result.exit_code == 0, result.stderr
    (run,), (version,), (experiment,) = (kfp.objects[kind] for kind in ("runs", "versions", "experiments"))
    assert run["runtime_config"]["parameters"] == {"batch_rows": 1000, "version": "7"}
    assert run["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert (run["experiment_id"], experiment["namespace"]) == (experiment["experiment_id"], "ml")
    assert version["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "batch-score"
    assert f"started {run['display_name']}" in result.stdout


def test_the_same_submission_starts_nothing_twice_and_another_one_does(kfp: KfpServer) -> None:
    call(kfp, "submit", "--set", "version=7")
    before = kfp.wrote()
    assert "there is already" in call(kfp, "submit", "--set", "version=7").stdout
    assert kfp.wrote() == before
    call(kfp, "submit", "--set", "version=8")
    assert kfp.wrote() == [*before, "POST runs"]


def test_a_run_that_failed_is_started_again(kfp: KfpServer) -> None:
    call(kfp, "submit")
    kfp.objects["runs"][0]["state"] = "FAILED"
    assert "started" in call(kfp, "submit").stdout
    kfp.objects["runs"][1]["state"] = "SUCCEEDED"
    assert "there is already" in call(kfp, "submit").stdout


def test_a_run_of_another_experiment_is_not_taken_for_ours(kfp: KfpServer) -> None:
    call(kfp, "submit", "--experiment", "other")
    assert "started" in call(kfp, "submit").stdout


def test_a_server_that_knows_no_filters_does_not_mislead(kfp: KfpServer) -> None:
    call(kfp, "submit", "--name", "one")
    listed = json.dumps({"runs": kfp.objects["runs"]}).encode()
    kfp.instead = lambda method, path: (200, listed) if method == "GET" and "/runs?" in path else None
    assert "started" in call(kfp, "submit", "--name", "two").stdout


def with_tasks(kfp: KfpServer, *tasks: tuple[str, str]) -> None:
    kfp.objects["runs"][0]["run_details"] = {"task_details": [{"display_name": name, "state": state} for name, state in tasks]}


def test_waiting_tells_each_step_and_ends_with_the_run(kfp: KfpServer) -> None:
    call(kfp, "submit")
    kfp.states = ["RUNNING", "SUCCEEDED"]
    with_tasks(kfp, ("root", "RUNNING"), ("fetch-model", "SUCCEEDED"), ("fetch-model-driver", "SUCCEEDED"), ("batch-score", "RUNNING"))
    lines: list[str] = []
    kubeflow = Kubeflow(Server(url=kfp.url))
    wait(kubeflow, kfp.objects["runs"][0]["run_id"], seconds=60, tell=lines.append, clock=Clock(sleep=lambda _: None))
    assert lines == ["fetch-model succeeded", "batch-score running"]


def test_a_run_that_fails_is_told_with_its_steps(kfp: KfpServer) -> None:
    call(kfp, "submit", "--name", "bad")
    kfp.objects["runs"][0] |= {"state": "RUNNING"}
    with_tasks(kfp, ("fetch-model", "SUCCEEDED"), ("gate", "FAILED"))
    kfp.objects["runs"][0]["run_details"]["task_details"][1]["error"] = {"code": 2, "message": "the model\ndid not pass"}
    kfp.states = ["FAILED"]
    assert "ended failed: gate (the model did not pass)" in failed(call(kfp, "submit", "--name", "bad", "--wait", "1m"))


def test_a_run_that_does_not_end_in_time_goes_on(kfp: KfpServer) -> None:
    call(kfp, "submit")
    passed = iter(range(100))
    clock, kubeflow = Clock(now=lambda: next(passed), sleep=lambda _: None), Kubeflow(Server(url=kfp.url))
    with pytest.raises(StepError, match="did not end within 3 s; it is pending and goes on"):
        wait(kubeflow, kfp.objects["runs"][0]["run_id"], seconds=3, tell=lambda _: None, clock=clock)


def test_a_schedule_is_made_kept_replaced_paused_and_removed(kfp: KfpServer) -> None:
    assert "schedule batch-score made" in call(kfp, "schedule", "--cron", "0 3 * * MON").stdout
    (first,) = kfp.objects["recurringruns"]
    assert first["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * MON"}}
    assert (first["max_concurrency"], first["no_catchup"], first["mode"]) == ("1", True, "ENABLE")
    before = kfp.wrote()
    assert "unchanged" in call(kfp, "schedule", "--cron", "0 0 3 * * MON").stdout
    assert kfp.wrote() == before
    assert "paused" in call(kfp, "schedule", "--cron", "0 3 * * MON", "--paused").stdout
    assert kfp.objects["recurringruns"][0]["status"] == "DISABLED"
    assert "resumed" in call(kfp, "schedule", "--cron", "0 3 * * MON").stdout
    assert "replaced" in call(kfp, "schedule", "--every", "7d").stdout
    (second,) = kfp.objects["recurringruns"]
    assert second["trigger"] == {"periodic_schedule": {"interval_second": "604800"}}
    assert "removed 1 schedules" in call(kfp, "schedule", "--remove").stdout
    assert kfp.objects["recurringruns"] == []


def test_the_old_schedule_goes_only_when_the_new_one_is_there_and_leftovers_go_later(kfp: KfpServer) -> None:
    call(kfp, "schedule", "--every", "1d")
    kfp.instead = lambda method, _: (503, b"{}") if method == "DELETE" else None
    assert "refused (503)" in failed(call(kfp, "schedule", "--every", "2d"))
    assert len(kfp.objects["recurringruns"]) == 2
    kfp.instead = lambda *_: None
    assert "unchanged" in call(kfp, "schedule", "--every", "2d").stdout
    (left,) = kfp.objects["recurringruns"]
    assert left["trigger"]["periodic_schedule"]["interval_second"] == "172800"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--set", "rows=1"), "no parameter 'rows'; it has batch_rows, id"),
        (("--set", "batch_rows=many"), "'batch_rows' must be a whole number, found 'many'"),
        (("--set", "batch_rows"), "does not set a parameter; give NAME=VALUE"),
        (("--set", "batch_rows=[1"), "not valid YAML"),
        (("--parameters", "nowhere.yaml"), "'nowhere.yaml' cannot be read: No such file"),
        (("--recipe", "nowhere.yaml"), "'nowhere.yaml' cannot be read"),
    ],
)
def test_parameters_that_the_pipeline_does_not_take_start_nothing(kfp: KfpServer, arguments: tuple[str, ...], says: str) -> None:
    assert says in failed(call(kfp, "submit", *arguments))
    assert kfp.asked == []


def test_parameters_come_from_a_recipe_a_file_and_the_command_line_the_last_wins(kfp: KfpServer, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("{trees: 50, seed: 3, slices: [carrier]}")
    recipe = Path(__file__).parents[3] / "pipelines" / "headgate_pipelines" / "flights" / "recipe.yaml"
    arguments = ("--recipe", str(recipe), "--parameters", str(tmp_path / "p.yaml"), "--set", "seed=4", "--set", "ablation=true")
    assert call(kfp, "submit", *arguments, name="training").exit_code == 0
    sent: dict[str, Any] = kfp.objects["runs"][0]["runtime_config"]["parameters"]
    assert (sent["trees"], sent["seed"], sent["ablation"], sent["slices"], sent["label"]) == (50, 4, True, ["carrier"], "late")


def test_a_token_is_read_from_its_file_and_a_wrong_one_is_told(kfp: KfpServer, tmp_path: Path) -> None:
    kfp.token = "right"
    (tmp_path / "token").write_text("right\n")
    assert call(kfp, "submit", "--token-file", str(tmp_path / "token")).exit_code == 0
    assert "does not accept the token (401): Unauthenticated" in failed(call(kfp, "submit"))


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (302, b"", "is probably a login page"),
        (403, b'{"message": "no runs for you"}', "does not allow this (403): no runs for you"),
        (404, b"", "refused (404)"),
        (200, b"<html>", "not JSON"),
        (200, b"[]", "not an object"),
        (200, b"{}", "has no 'experiment_id'"),
    ],
)
def test_an_api_that_does_not_answer_as_it_should_is_one_sentence(kfp: KfpServer, status: int, body: bytes, says: str) -> None:
    kfp.instead = lambda *_: (status, body)
    assert says in failed(call(kfp, "submit"))


def test_a_request_that_may_pass_is_tried_again_but_nothing_is_made_twice(kfp: KfpServer) -> None:
    attempts: list[str] = []

    def busy(method: str, _: str) -> tuple[int, bytes] | None:
        attempts.append(method)
        return (503, b"{}") if len(attempts) <= 2 else None

    kfp.instead = busy
    compiled = Compiled.of("batch-score")
    kubeflow = Kubeflow(Server(url=kfp.url, sleep=lambda _: None))
    assert submit(kubeflow, compiled, experiment="e", parameters={}).started
    assert [len(kfp.objects[kind]) for kind in ("experiments", "pipelines", "versions", "runs")] == [1, 1, 1, 1]


def test_nobody_there_is_told_with_the_reason() -> None:
    result = CliRunner().invoke(pipeline, ["submit", "batch-score", "--host", f"http://127.0.0.1:{free_port()}"])
    assert "cannot be reached: Connection refused" in failed(result)
    result = CliRunner().invoke(pipeline, ["submit", "batch-score", "--host", "kubeflow"])
    assert "'kubeflow' is no address of a server" in failed(result)


@pytest.mark.parametrize(
    "arguments", [(), ("--cron", "0 3 * * MON", "--every", "1d"), ("--cron", "daily"), ("--every", "0s"), ("--cron", "0 3 * * ; rm")]
)
def test_a_schedule_that_is_none_is_wrong_usage(kfp: KfpServer, arguments: tuple[str, ...]) -> None:
    assert call(kfp, "schedule", *arguments).exit_code == 2
    assert kfp.asked == []


def test_the_contract_notices_what_the_openapi_does_not_allow() -> None:
    check_request("POST", "/apis/v2beta1/runs", {}, {"display_name": "x", "runtime_config": {"parameters": {"a": [1]}}})
    for request in (
        ("GET", "/apis/v2beta1/nowhere", {}, None),
        ("GET", "/apis/v2beta1/runs", {"pagesize": "1"}, None),
        ("GET", "/apis/v2beta1/runs", {"page_size": "x"}, None),
        ("POST", "/apis/v2beta1/runs", {}, {"displayName": "x"}),
        ("POST", "/apis/v2beta1/recurringruns", {}, {"max_concurrency": 1}),
        ("POST", "/apis/v2beta1/recurringruns", {}, {"mode": "ON"}),
    ):
        with pytest.raises((BreachError, ValueError)):
            check_request(*request)
