"""Starting a training run once, and seeing what becomes of it, beside a stub of the Kubeflow Pipelines API (v2beta1).

What is asked and answered is checked against the published OpenAPI.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import pytest
from aiohttp import web

from headgate_operator.api.status import RetrainingStatus, RunState, Signal
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.training import Training
from headgate_operator.controller.upstream.rest import Rest
from headgate_operator.rollout.observed import DriftReport, Finding
from headgate_operator.rollout.upstream import RunRequest
from tests.kfpcontract import check, check_request
from tests.served import everything, served
from tests.waiting import eventually

KEY = ("ml", "flight-delay")
NAME = "headgate-ml-flight-delay-r9b2e77d1-w8"
PIPELINE = "9f0c1a34-0000-4000-8000-000000000001"
VERSION = "9f0c1a34-0000-4000-8000-00000000000b"
TYPES = {"rows": "STRING", "trees": "NUMBER_INTEGER", "eta": "NUMBER_DOUBLE", "tune": "BOOLEAN", "slices": "LIST"}


_TYPES = {"STRING": (str,), "NUMBER_INTEGER": (int,), "NUMBER_DOUBLE": (float, int), "BOOLEAN": (bool,), "LIST": (list,)}


class Kfp:
    """Keeps runs as the API server does: ids are its own, two requests are two runs, display names are not unique."""

    def __init__(self) -> None:
        self.url = ""
        self.runs: list[dict] = []
        self.bodies: list[dict] = []
        self.ignores_filters = False
        self.loses_answers = False
        self.instead: Callable[[], web.Response] | None = None
        self.thinks: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.instead is not None:
            return self.instead()
        body = await request.json() if request.can_read_body else None
        operation = check_request(request.method, request.raw_path.partition("?")[0], request.query, body)
        answer = await self._route(request)
        check(operation.answer if answer.status == 200 else "GoogleRpcStatus", json.loads(answer.body), "answer")
        return answer

    async def _route(self, request: web.Request) -> web.Response:
        match request.method, request.path.removeprefix("/apis/v2beta1/").split("/"):
            case "GET", ["pipelines", "names", "flights-training"]:
                return web.json_response({"pipeline_id": PIPELINE, "display_name": "flights-training"})
            case "GET", ["pipelines", id_, "versions"] if id_ == PIPELINE:
                return web.json_response(self._versions(request.query))
            case "GET", ["runs"]:
                return web.json_response(self._list(request.query.get("filter")))
            case "GET", ["runs", run_id]:
                found = next((run for run in self.runs if run["run_id"] == run_id), None)
                return web.json_response(found) if found else _error(404, 5, f"Run {run_id} not found")
            case "POST", ["runs"]:
                return await self._create(request)
        return _error(404, 5, "Not Found")

    def _versions(self, query: Mapping[str, str]) -> dict:
        assert query["sort_by"] == "created_at desc", "the newest first"
        parameters = {name: {"parameterType": kind} for name, kind in TYPES.items()}
        spec = {"root": {"inputDefinitions": {"parameters": parameters}}, "schemaVersion": "2.1.0"}
        version = {"pipeline_id": PIPELINE, "pipeline_version_id": VERSION, "pipeline_spec": {"pipeline_spec": spec, "platform_spec": {}}}
        return {"pipeline_versions": [version], "total_size": 2, "next_page_token": "more"}

    def _list(self, given: str | None) -> dict:
        predicates = json.loads(given)["predicates"] if given and not self.ignores_filters else []
        for predicate in predicates:
            check("V2beta1Predicate", predicate, "filter")
            assert predicate["key"] in {"display_name", "run_id", "state"}
        found = [run for run in self.runs if all(run[p["key"]] == p["string_value"] for p in predicates)]
        return {"runs": found, "total_size": len(found)} if found else {}

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["pipeline_version_reference"] == {"pipeline_id": PIPELINE, "pipeline_version_id": VERSION}
        for name, value in body["runtime_config"]["parameters"].items():  # the API server compares types, and refuses the run
            if type(value) not in _TYPES[TYPES[name]]:
                return _error(400, 3, f"input parameter {name} requires type {TYPES[name]}")
        if self.thinks is not None:
            await self.thinks.wait()
        self.bodies.append(body)
        run = {"run_id": f"run-{len(self.runs) + 1}", "display_name": body["display_name"], "state": "PENDING"}
        self.runs.append(run)
        if self.loses_answers and request.transport is not None:
            request.transport.abort()
        return web.json_response(run)


def _error(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "details": []}, status=status)


@pytest.fixture
async def kfp() -> AsyncIterator[Kfp]:
    one = Kfp()
    async with served(everything(one.answer)) as one.url:
        yield one


@pytest.fixture
async def training() -> AsyncIterator[Training]:
    rest = Rest(allowed=parse_allow_list(["http://127.0.0.1"]))
    one = Training(rest, wake=lambda _: None, pause=0.05)
    yield one
    await one.close()
    await rest.close()


def wanted(kfp: Kfp, **changes) -> RunRequest:
    fields = {"display_name": NAME, "endpoint": kfp.url, "pipeline": "flights-training", "parameters": (("rows", "all"),)}
    return RunRequest(**(fields | changes))


async def asked(training: Training, request: RunRequest):
    training.start(KEY, request)
    await eventually(lambda: training.answers(KEY))
    (answer,) = training.answers(KEY)
    training.recorded(KEY, (answer,))
    return answer


async def test_a_run_of_the_newest_version_is_started_with_the_parameters(kfp, training) -> None:
    answer = await asked(training, wanted(kfp))
    assert (answer.run_id, answer.error) == ("run-1", None)
    assert kfp.bodies == [
        {
            "display_name": NAME,
            "pipeline_version_reference": {"pipeline_id": PIPELINE, "pipeline_version_id": VERSION},
            "runtime_config": {"parameters": {"rows": "all"}},
        }
    ]


async def test_parameters_have_the_types_that_the_pipeline_declares(kfp, training) -> None:
    given = {"rows": "7", "trees": "200", "eta": "0.1", "tune": "true", "slices": '["carrier"]'}
    answer = await asked(training, wanted(kfp, parameters=tuple(given.items())))
    assert answer.error is None
    sent = kfp.bodies[0]["runtime_config"]["parameters"]
    assert sent == {"rows": "7", "trees": 200, "eta": 0.1, "tune": True, "slices": ["carrier"]}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("trees", "many", "parameter trees is 'many', and the pipeline wants a whole number such as 200"),
        ("trees", "1.5", "a whole number"),
        ("eta", "nan", "a number such as 0.1"),
        ("tune", "yes", "true or false"),
        ("slices", "{", "JSON of a list"),
        ("slices", "{}", "JSON of a list"),
    ],
)
async def test_a_parameter_of_another_type_is_told_and_starts_nothing(kfp, training, name, value, says) -> None:
    answer = await asked(training, wanted(kfp, parameters=((name, value),)))
    assert says in answer.error
    assert kfp.bodies == []


async def test_a_run_of_that_name_is_found_and_not_started_again(kfp, training) -> None:
    kfp.runs = [{"run_id": "of-somebody", "display_name": "else", "state": "RUNNING"}]
    await asked(training, wanted(kfp))
    assert (await asked(training, wanted(kfp))).run_id == "run-2"
    assert len(kfp.bodies) == 1


async def test_a_server_that_does_not_know_the_filter_does_not_lend_us_a_run_of_somebody_else(kfp, training) -> None:
    kfp.ignores_filters = True
    kfp.runs = [{"run_id": "of-somebody", "display_name": "else", "state": "RUNNING"}]
    assert (await asked(training, wanted(kfp))).run_id == "run-2"


async def test_a_request_whose_answer_was_lost_is_not_repeated_but_looked_for(kfp, training) -> None:
    kfp.loses_answers = True
    answer = await asked(training, wanted(kfp))
    assert "cannot be reached" in answer.error
    assert len(kfp.runs) == 1
    assert (await asked(training, wanted(kfp))).run_id == "run-1"
    assert len(kfp.runs) == 1


async def test_the_same_run_is_never_asked_for_twice_at_once_not_even_with_other_parameters(kfp, training) -> None:
    kfp.thinks = asyncio.Event()
    training.start(KEY, wanted(kfp))
    training.start(KEY, wanted(kfp, parameters=()))
    kfp.thinks.set()
    await eventually(lambda: training.answers(KEY))
    training.start(KEY, wanted(kfp))
    assert len(training.answers(KEY)) == len(kfp.bodies) == 1


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (503, b"upstream connect error", "HTTP 503: upstream connect error"),
        (401, b'{"error": "no", "code": 16, "message": "Unauthenticated"}', "Unauthenticated; the operator's credentials"),
        (200, b"<html>", "not JSON"),
        (200, b'{"runs": {}}', "not a list of runs"),
    ],
)
async def test_an_api_that_does_not_answer_as_it_should_is_told_in_one_sentence(kfp, training, status, body, says) -> None:
    kfp.instead = lambda: web.Response(status=status, body=body)
    answer = await asked(training, wanted(kfp))
    assert says in answer.error
    assert answer.run_id is None


async def test_a_pipeline_that_does_not_exist_starts_nothing(kfp, training) -> None:
    answer = await asked(training, wanted(kfp, pipeline="no/such pipeline"))
    assert "HTTP 404" in answer.error
    assert kfp.bodies == []


async def test_a_run_is_followed_until_its_end_is_on_record(kfp, training) -> None:
    kfp.runs = [{"run_id": "run-1", "display_name": NAME, "state": "RUNNING"}]
    known = RetrainingStatus(
        last_trigger=NAME, at=datetime(2026, 3, 1, tzinfo=UTC), endpoint=kfp.url, last_run_id="run-1", state=RunState.PENDING
    )

    def state() -> RunState | None:
        report = training.run(KEY, known)
        return report.state if report is not None else None

    await eventually(lambda: state() is RunState.RUNNING)
    kfp.instead = lambda: web.Response(status=503)
    await eventually(lambda: training.run(KEY, known).state is None)
    kfp.instead = None
    kfp.runs[0] |= {"state": "FAILED", "error": {"code": 13, "message": "validation\nfailed"}}
    await eventually(lambda: state() is RunState.FAILED)
    assert training.run(KEY, known).message == "validation failed"
    kfp.instead = lambda: web.json_response(kfp.runs[0] | {"state": "SOMETHING_NEW"})
    await eventually(lambda: state() is RunState.PENDING)
    kfp.instead = None
    kfp.runs.clear()
    await eventually(lambda: state() is RunState.DELETED)
    assert training.run(KEY, known.model_copy(update={"state": RunState.DELETED})) is None


class Said:
    """Stands in for the drift monitor."""

    def __init__(self, report: DriftReport) -> None:
        self.report = report

    async def read(self, *_: object) -> DriftReport:
        return self.report


async def test_drift_starts_one_run_although_the_operator_dies_before_its_answer_is_on_record(world, kfp) -> None:
    pipeline = {"endpoint": kfp.url, "name": "flights-training", "parameters": {"rows": "all"}}
    await world.manifest(drift={}, retraining={"pipeline": pipeline})
    world.observer._monitoring = Said(DriftReport(window=7))
    await world.settle()
    training = world.observer._background.training
    world.observer._monitoring = Said(DriftReport(window=8, stale=Finding(signal=Signal.SEVERE, message="temp drifted")))
    await world.reconciler.look(KEY)
    status = await world.status()
    assert (status.retraining.state, status.retraining.last_run_id) == (RunState.STARTING, None)
    await eventually(lambda: training.answers(KEY))
    world.observer._background.forget(KEY)  # all that a new process knows
    await world.reconciler.look(KEY)
    await eventually(lambda: training.answers(KEY))
    kfp.runs[0]["state"] = "SUCCEEDED"
    await world.reconciler.look(KEY)
    status = await world.status()
    assert (status.retraining.state, status.retraining.last_run_id) == (RunState.PENDING, "run-1")
    await world.reconciler.look(KEY)
    await eventually(lambda: training.run(KEY, status.retraining))
    await world.settle()
    status = await world.status()
    assert status.retraining.state is RunState.SUCCEEDED
    assert status.retraining.last_trigger == f"headgate-ml-flight-delay-{status.stable.id}-w8"
    assert len(kfp.bodies) == 1
    assert await world.reconciler.look(KEY) == "unchanged"
