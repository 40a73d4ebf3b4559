"""Following an alias through passes of the real controller, beside a registry that answers as MLflow does, or nonsense, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Registry
from headgate_operator.controller.allowed import AllowList, parse_allow_list
from headgate_operator.controller.registries import GoldenTag, Registries
from headgate_operator.controller.resources import INFERENCE_SERVICES
from headgate_operator.controller.upstream.rest import Rest, TokenFile
from headgate_operator.rollout.upstream import RegistryWrite
from tests.served import everything, served
from tests.waiting import eventually

KEY = ("ml", "flight-delay")
LOOPBACK = parse_allow_list(["http://127.0.0.1"])
GOLDEN = json.dumps({"format": 1, "request": {"inputs": []}, "outputs": {"probability": [0.25]}})


class Mlflow:
    """Answers as an MLflow server does: the shapes were taken from one of release 3.17."""

    def __init__(self) -> None:
        self.url = ""
        self.versions = {"1": {"headgate.storageUri": "s3://models/flight-delay/1-abc", "headgate.golden": GOLDEN}}
        self.aliases = {"candidate": "1"}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.instead: Callable[[], web.Response] | None = None
        self.silent = False
        self.most_at_once = self.at_once = 0
        self.release = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path.removeprefix("/api/2.0/mlflow/"))
        self.headers.append(dict(request.headers))
        if self.silent:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await self.release.wait()
            self.at_once -= 1
        if self.instead is not None:
            return self.instead()
        given = request.query if request.method == "GET" else await request.json()
        match request.method, self.asked[-1]:
            case "GET", "registered-models/alias":
                return self._version(self.aliases.get(given["alias"]), f"Registered model alias {given['alias']} not found.")
            case "GET", "model-versions/get":
                return self._version(given["version"], "no such version")
            case "GET", "model-versions/get-download-uri":
                return web.json_response({"artifact_uri": "mlflow-artifacts:/1/models/m-1/artifacts"})
            case "POST", "registered-models/alias":
                self.aliases[given["alias"]] = given["version"]
            case "POST", "model-versions/set-tag":
                self.versions[given["version"]][given["key"]] = given["value"]
        return web.json_response({})

    def _version(self, version: str | None, missing: str) -> web.Response:
        if version not in self.versions:
            return web.json_response({"error_code": "INVALID_PARAMETER_VALUE", "message": missing}, status=400)
        tags = [{"key": key, "value": value} for key, value in self.versions[version].items()]
        found = {"name": "flight-delay", "version": version, "source": "models:/m-1", "status": "READY", "tags": tags}
        return web.json_response({"model_version": found})


@pytest.fixture
async def mlflow() -> AsyncIterator[Mlflow]:
    one = Mlflow()
    async with served(everything(one.answer)) as one.url:
        yield one
        one.release.set()


@pytest.fixture
async def make_registries():
    made = []

    def make(allowed: AllowList = LOOPBACK, tokens=(), wake=lambda _: None) -> Registries:
        rest = Rest(allowed=allowed, tokens=tokens)
        made.extend((Registries(rest, wake=wake), rest))
        return made[-2]

    yield make
    for one in made:
        await one.close()


def followed(url: str, interval: str = "1s", alias: str = "candidate") -> Registry:
    return Registry.model_validate({"name": "flight-delay", "alias": alias, "trackingURI": url, "pollInterval": interval})


async def seen(registries: Registries, registry: Registry):
    await eventually(lambda: registries.alias(KEY, registry))
    return registries.alias(KEY, registry)


async def test_an_alias_is_a_version_and_the_uri_that_it_was_exported_to(mlflow, make_registries) -> None:
    report = await seen(make_registries(), followed(mlflow.url))
    assert (report.version, report.uri, report.error) == ("1", "s3://models/flight-delay/1-abc", None)


async def test_it_is_asked_no_oftener_than_the_manifest_says_and_wakes_only_on_a_change(mlflow, make_registries) -> None:
    woken = []
    registries = make_registries(wake=woken.append)
    slow = followed(mlflow.url, interval="1h")
    await seen(registries, slow)
    for _ in range(50):
        registries.alias(KEY, slow)
    assert mlflow.asked == ["registered-models/alias"]
    quick = followed(mlflow.url, interval="50ms")
    await seen(registries, quick)
    await eventually(lambda: len(mlflow.asked) > 5)
    assert woken == [KEY, KEY], "once for each question"
    mlflow.versions["2"] = {"headgate.storageUri": "s3://models/flight-delay/2-def"}
    mlflow.aliases["candidate"] = "2"
    await eventually(lambda: len(woken) == 3)
    assert registries.alias(KEY, quick).version == "2"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, b"<html>hello</html>", "not JSON"),
        (200, b"[1]", "JSON that is no object"),
        (200, b"[" * 100_000, "not JSON"),
        (200, b"{}", "is it an MLflow server"),
        (200, b'{"model_version": {"name": "other", "version": "1"}}', "no version of flight-delay"),
        (200, b'{"model_version": {"name": "flight-delay", "version": "../1"}}', "no version of flight-delay"),
        (200, b'{"model_version": {"name": "flight-delay", "version": "1", "tags": 7}}', "does not say where"),
        (200, b" " * 9_000_000, "larger than 8 MB"),
        (302, b"", "redirects are not followed"),
        (403, b"Invalid Host header", "HTTP 403: Invalid Host header; the operator's credentials for it come from --token-file"),
        (500, b"", "answered HTTP 500"),
    ],
)
async def test_nonsense_is_told_in_one_sentence(mlflow, make_registries, status, body, says) -> None:
    mlflow.instead = lambda: web.Response(status=status, body=body, headers={"Location": "/"} if status == 302 else {})
    report = await seen(make_registries(), followed(mlflow.url))
    assert says in report.error
    assert len(report.error) < 500
    assert (report.version, report.uri) == ("", "")


async def test_a_version_that_kserve_cannot_read_is_none(mlflow, make_registries) -> None:
    mlflow.versions["1"] = {}
    report = await seen(make_registries(), followed(mlflow.url))
    assert "KServe cannot read; tag it headgate.storageUri" in report.error


async def test_an_alias_that_does_not_exist_is_told_in_the_registrys_words(mlflow, make_registries) -> None:
    report = await seen(make_registries(), followed(mlflow.url, alias="nobody"))
    assert report.error == f"{mlflow.url} answered HTTP 400: Registered model alias nobody not found."


async def test_an_address_that_the_operator_may_not_ask_is_not_asked(mlflow, make_registries) -> None:
    report = await seen(make_registries(AllowList()), followed(mlflow.url))
    assert "--allow-url" in report.error
    assert mlflow.asked == []


async def test_a_server_that_is_gone_is_an_answer_too(make_registries) -> None:
    report = await seen(make_registries(), followed("http://127.0.0.1:1"))
    assert "http://127.0.0.1:1 cannot be reached" in report.error


async def test_only_its_own_server_is_sent_a_token(mlflow, make_registries, tmp_path) -> None:
    (tmp_path / "token").write_text("secret\n")
    mine, other = TokenFile(mlflow.url, tmp_path / "token"), TokenFile("http://elsewhere", tmp_path / "token")
    await seen(make_registries(tokens=(other,)), followed(mlflow.url))
    assert "Authorization" not in mlflow.headers[-1]
    await seen(make_registries(tokens=(other, mine)), followed(mlflow.url))
    assert mlflow.headers[-1]["Authorization"] == "Bearer secret"


async def test_a_slow_server_gets_few_requests_at_once_and_holds_nobody_up(mlflow, make_registries) -> None:
    registries = make_registries()
    mlflow.silent = True
    for number in range(20):
        assert registries.alias(("ml", f"md-{number}"), followed(mlflow.url)) is None
    await eventually(lambda: mlflow.at_once == 4)
    mlflow.release.set()
    await eventually(lambda: registries.alias(("ml", "md-19"), followed(mlflow.url)))
    assert mlflow.most_at_once == 4


async def test_tags_and_aliases_are_written_once_for_each_request(mlflow, make_registries) -> None:
    registries = make_registries()
    write = RegistryWrite(
        tracking_uri=mlflow.url, name="flight-delay", version="1", alias="champion", tags=(("headgate.status", "Promoted"),)
    )
    registries.start(KEY, write)
    registries.start(KEY, write)
    await eventually(lambda: registries.answers(KEY))
    assert [answer.error for answer in registries.answers(KEY)] == [None]
    assert mlflow.aliases["champion"] == "1"
    assert mlflow.versions["1"]["headgate.status"] == "Promoted"
    assert mlflow.asked == ["model-versions/set-tag", "registered-models/alias"]


async def test_the_golden_set_of_a_version_is_its_tag(mlflow, make_registries) -> None:
    registries, registry = make_registries(), followed(mlflow.url)
    await eventually(lambda: registries.golden(KEY, registry, "1"))
    assert registries.golden(KEY, registry, "1") == GoldenTag(text=GOLDEN)


def model(url: str) -> dict:
    return {"uri": None, "registry": {"name": "flight-delay", "alias": "candidate", "promotedAlias": "champion", "trackingURI": url}}


def followed_by_manifest(mlflow) -> Registry:
    return Registry.model_validate(model(mlflow.url)["registry"])


async def resolved(world, mlflow) -> None:
    """The first looks: the alias is asked for, and its answer brings the next pass."""
    assert await world.reconciler.look(KEY) == "written"
    await eventually(lambda: mlflow.asked)
    key, _ = await asyncio.wait_for(world.queue.get(), 60)
    world.queue.done(key)


async def test_a_pass_does_not_wait_for_the_registry_and_what_it_says_is_rolled_out_and_marked(world, mlflow) -> None:
    mlflow.silent = True
    await world.manifest(model=model(mlflow.url))
    await world.reconciler.look(KEY)
    status = await world.status()
    assert (status.candidate, status.registry) == (None, None)
    assert next(c.reason for c in status.conditions if c.type == "Reconciling") == "ResolvingAlias"
    mlflow.release.set()
    await eventually(lambda: world.observer._background.registries.alias(KEY, followed_by_manifest(mlflow)))
    await world.settle()
    await eventually(lambda: mlflow.aliases.get("champion") == "1")
    await eventually(lambda: mlflow.versions["1"].get("headgate.status") == "Promoted")
    await world.settle()
    status = await world.status()
    assert status.stable.version == status.registry.version == "1"
    assert sorted((mark.alias or "tags", mark.failures) for mark in status.registry.marks) == [("champion", 0), ("tags", 0)]
    (isvc,) = await world.admin.list(INFERENCE_SERVICES, "ml")
    assert isvc["spec"]["predictor"]["model"]["storageUri"] == "s3://models/flight-delay/1-abc"
    assert await world.reconciler.look(KEY) == "unchanged"


async def test_a_restarted_operator_whose_registry_is_down_goes_on_with_what_was_resolved_last(world, mlflow) -> None:
    await world.manifest(model=model(mlflow.url))
    await resolved(world, mlflow)
    await world.settle()
    before = (await world.status()).stable
    mlflow.instead = lambda: web.Response(status=500)
    world.observer._background.forget(KEY)  # all that a new process knows
    for _ in range(3):
        await world.reconciler.look(KEY)
    await eventually(lambda: world.observer._background.registries.alias(KEY, followed_by_manifest(mlflow)))
    await world.settle()
    status = await world.status()
    assert status.stable == before
    assert status.candidate is None
    condition = next(c for c in status.conditions if c.type == "RegistryAvailable")
    assert (condition.status, condition.reason) == ("False", "RegistryUnavailable")
    assert not any(c.type == "Stalled" for c in status.conditions)


async def test_the_golden_tag_is_pinned_and_one_that_changed_is_not_believed(world, mlflow) -> None:
    await world.manifest(model=model(mlflow.url), parity={"mode": "Required"})
    await resolved(world, mlflow)
    registry, registries = followed_by_manifest(mlflow), world.observer._background.registries
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)
    await eventually(lambda: registries.golden(KEY, registry, "1"))
    await world.reconciler.look(KEY)
    assert (await world.status()).candidate.golden is not None
    mlflow.versions["1"]["headgate.golden"] = GOLDEN.replace("0.25", "0.5")
    registries.golden_done(KEY)
    await world.kserve()
    await world.reconciler.look(KEY)
    await eventually(lambda: registries.golden(KEY, registry, "1"))
    await world.reconciler.look(KEY)
    candidate = (await world.status()).candidate
    assert candidate.parity is None
    assert candidate.hold_reason == Reason.GOLDEN_MISSING


@pytest.mark.parametrize(("mode", "outcome"), [("IfPresent", "promoted"), ("Required", "held")])
async def test_a_version_without_a_golden_tag_is_as_one_without_a_golden_set(world, mlflow, mode, outcome) -> None:
    del mlflow.versions["1"]["headgate.golden"]
    await world.manifest(model=model(mlflow.url), parity={"mode": mode})
    await resolved(world, mlflow)
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)
    await eventually(lambda: world.observer._background.registries.golden(KEY, followed_by_manifest(mlflow), "1"))
    await world.settle()
    status = await world.status()
    if outcome == "promoted":
        assert status.stable is not None
    else:
        assert status.candidate.hold_reason == Reason.GOLDEN_MISSING
