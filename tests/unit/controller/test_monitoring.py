"""The drift monitor's client: what it asks, what it believes, and what it makes of a monitor that is broken."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ModelDeploymentStatus, Previous, Signal, Stable
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.rollout.observed import Subject
from tests.served import routes, served

SPEC = ModelDeploymentSpec.model_validate(
    {"model": {"uri": "s3://m/2", "format": {"name": "xgboost"}, "runtime": "r"}, "drift": {"window": {"rows": 300}}}
)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
STABLE = Stable(id="r00000002", model_uri="s3://m/2/", version="2", isvc="m-2", slot=1, since=SINCE)
WATCHED = Previous(id="r00000001", model_uri="s3://m/1", version="1", isvc="m-1", slot=0, since=SINCE, weight=5)
SUBJECT = Subject(name="m", namespace="ml", uid="1", generation=1)
ANSWER = {"format": 1, "window": 9, "input": {"signal": "Severe", "message": "temp moved"}, "top": [{"feature": "temp", "distance": 0.4}]}


class Monitor:
    """A monitor that remembers what it was asked, and answers as told."""

    def __init__(self):
        self.asked = []
        self.answer = lambda: web.json_response(ANSWER)

    async def handle(self, request):
        self.headers = request.headers
        self.asked.append((request.path, await request.json()))
        answer = self.answer()
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def monitor():
    told = Monitor()
    async with served(routes(web.post("/{namespace}/v1/drift/{name}", told.handle))) as url:
        told.address = f"{url}/{{{{namespace}}}}"
        yield told


@pytest.fixture
async def ask(monitor):
    now = [0.0]
    monitoring = Monitoring(monitor.address, clock=lambda: now[0])

    async def read(after=60.0, previous=None):
        now[0] += after
        return await monitoring.read(SUBJECT, SPEC, ModelDeploymentStatus(stable=STABLE, previous=previous))

    yield read
    await monitoring.close()


async def test_the_question_says_which_versions_serve_and_how_to_compare_them(monitor, ask):
    report = await ask()
    (path, question) = monitor.asked[0]
    assert path == "/ml/v1/drift/m"
    assert question["stable"] == {"id": "r00000002", "reference": "s3://m/2/headgate/drift"}
    assert "trial" not in question
    assert question["drift"]["window"]["rows"] == 300
    assert (report.window, report.input.signal, report.top[0].feature, report.error) == (9, Signal.SEVERE, "temp", None)


async def test_each_namespaces_monitor_is_sent_its_own_token_as_it_is_now(monitor, tmp_path):
    file = tmp_path / "ml"
    monitoring = Monitoring(monitor.address, token_file=f"{tmp_path}/{{{{namespace}}}}", clock=itertools.count(0, 60).__next__)

    async def read():
        return await monitoring.read(SUBJECT, SPEC, ModelDeploymentStatus(stable=STABLE))

    report = await read()
    assert report.error == f"the file of --monitor-token-file, {file}, cannot be read"
    for secret in ("one", "two"):
        file.write_text(f"{secret}\n")
        assert (await read()).error is None
        assert monitor.headers["Authorization"] == f"Bearer {secret}"
    monitor.answer = lambda: web.Response(status=401)
    assert (await read()).error.endswith("answered HTTP 401; its token comes from --monitor-token-file")
    await monitoring.close()


async def test_during_the_watch_the_promoted_version_is_on_trial_beside_the_previous_one(monitor, ask):
    report = await ask(previous=WATCHED)
    (_, question) = monitor.asked[0]
    assert (question["stable"]["id"], question["trial"]["id"], question["trialWeight"]) == ("r00000001", "r00000002", 95)
    assert report.trial == "r00000002"


async def test_an_answer_stands_for_a_while_unless_something_else_is_asked(monitor, ask):
    await ask()
    await ask(after=5)
    assert len(monitor.asked) == 1
    await ask(after=0, previous=WATCHED)
    await ask(after=11, previous=WATCHED)
    assert len(monitor.asked) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: web.Response(status=503), "HTTP 503"),
        (lambda: web.Response(text="<html>"), "no answer"),
        (lambda: web.json_response(ANSWER | {"format": 2}), "no answer"),
        (lambda: web.json_response(ANSWER | {"input": {"signal": "Fine"}}), "no answer"),
        (lambda: web.Response(body=b"x" * 1_000_001), "larger than 1 MB"),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
    ],
)
async def test_a_broken_answer_is_an_error_in_one_sentence_and_no_verdict(monitor, ask, answer, said):
    monitor.answer = answer
    report = await ask()
    assert said in (report.error or "")
    assert "\n" not in report.error
    assert report.input.signal is Signal.UNKNOWN


async def test_a_monitor_that_hangs_costs_one_look_two_seconds_and_the_next_ones_nothing(monitor, ask):
    monitor.answer = lambda: asyncio.sleep(30)
    assert "did not answer within 2 s" in (await ask()).error
    assert "did not answer within 2 s" in (await ask(after=1)).error
    assert len(monitor.asked) == 1


async def test_all_objects_of_a_namespace_leave_a_silent_monitor_alone_and_others_do_not(monitor):
    monitor.answer = lambda: asyncio.sleep(30)
    now = [0.0]
    monitoring = Monitoring(monitor.address, clock=lambda: now[0])
    objects = [replace(SUBJECT, name=f"m{number}") for number in range(50)]
    reports = [await monitoring.read(subject, SPEC, ModelDeploymentStatus(stable=STABLE)) for subject in objects]
    assert {report.error for report in reports} == {reports[0].error}
    assert "did not answer within 2 s" in reports[0].error
    assert len(monitor.asked) == 1
    monitor.answer = lambda: web.json_response(ANSWER)
    elsewhere = await monitoring.read(replace(SUBJECT, namespace="other"), SPEC, ModelDeploymentStatus(stable=STABLE))
    now[0] = 11.0
    again = await monitoring.read(objects[7], SPEC, ModelDeploymentStatus(stable=STABLE))
    assert (elsewhere.error, again.error) == (None, None)
    await monitoring.close()


async def test_one_object_that_the_monitor_refuses_silences_it_for_no_other(monitor, ask):
    monitor.answer = lambda: web.Response(status=400)
    assert "HTTP 400" in (await ask()).error
    await ask(previous=WATCHED, after=0)
    assert len(monitor.asked) == 2


async def test_no_monitor_at_all_is_told(ask):
    monitoring = Monitoring(None)
    report = await monitoring.read(SUBJECT, SPEC, ModelDeploymentStatus(stable=STABLE))
    assert "--monitor" in report.error
