"""Servers that answer as they should not, or not at all; what is sent, and to whom."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from headgate_operator.metrics import prometheus as module
from headgate_operator.metrics.exposition import MalformedError
from headgate_operator.metrics.prometheus import Access, Prometheus, aligned
from headgate_operator.metrics.reading import UnreadableError
from tests.served import everything, served

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeServer:
    """Answers every query as told, and remembers what it was sent."""

    def __init__(self, *answers: web.Response | float | None, body: Any = None) -> None:
        self.answers, self.body = list(answers), body
        self.forms: list[dict[str, str]] = []
        self.credentials: list[str | None] = []
        self.at_once = self.most_at_once = 0
        self.url = ""
        self._serving = AsyncExitStack()

    async def __aenter__(self) -> "FakeServer":
        self.url = await self._serving.enter_async_context(served(everything(self._answer)))
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._serving.aclose()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            self.forms.append({key: str(value) for key, value in (await request.post()).items()})
            self.credentials.append(request.headers.get("Authorization"))
            told = self.answers.pop(0) if self.answers else None
            if isinstance(told, float):
                await asyncio.sleep(told)
            if isinstance(told, web.Response):
                return told
            return web.json_response(self.body if self.body is not None else vector())
        finally:
            self.at_once -= 1


def vector(*results: Any, **more: Any) -> Any:
    return {"status": "success", "data": {"resultType": "vector", "result": list(results)}, **more}


def one(value: Any = "3", at: Any = 1772366400.5, **labels: str) -> Any:
    return {"metric": labels, "value": [at, value]}


@pytest.fixture
async def client() -> AsyncIterator[Prometheus]:
    made = Prometheus()
    yield made
    await made.close()


async def asked(client: Prometheus, server: FakeServer, query: str = "up") -> Any:
    (answer,) = await client.query(server.url, [query], AT)
    return answer


async def test_all_queries_are_sent_with_one_timestamp_and_their_answers_keep_their_order(client: Prometheus) -> None:
    async with FakeServer(body=vector(one(pod="a"), one("4.5", pod="b"))) as server:
        answers = await client.query(server.url, ["first", "second"], AT)
    assert {form["time"] for form in server.forms} == {"1772366400.000"}
    assert sorted(form["query"] for form in server.forms) == ["first", "second"]
    assert [[(dict(series.labels), series.value) for series in answer] for answer in answers if not isinstance(answer, MalformedError)] == [
        [({"pod": "a"}, 3.0), ({"pod": "b"}, 4.5)]
    ] * 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"status": "error", "errorType": "timeout", "error": "query timed out"}, "the query failed: query timed out"),
        (vector(one(), warnings=["partial response: store away"]), "the answer is not complete: partial response: store away"),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}}, "the answer is a scalar"),
        ({"status": "success", "data": {"resultType": "vector"}}, "the answer is a vector"),
        ({"status": "success"}, "the answer is not that of a Prometheus query API"),
        ([], "the answer is not that of a Prometheus query API"),
        (vector({"metric": {"pod": "a"}}), "no labels or no sample"),
        (vector({"metric": {"pod": "a"}, "histogram": [1, {}]}), "no labels or no sample"),
        (vector({"metric": {"pod": 1}, "value": [1, "2"]}), "a label of the answer is not a text"),
        (vector(one("NaN")), "a counter must be finite and at least 0"),
        (vector(one("+Inf")), "a counter must be finite and at least 0"),
        (vector(one("-1")), "a counter must be finite and at least 0"),
        (vector(one("three")), "is no number at a time"),
        (vector(one(None)), "is no number at a time"),
        (vector(one(at="x")), "is no number at a time"),
        (vector(one(at=1e300)), "is no number at a time"),
        (
            {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[2, "1"], [1, "2"]]}]}},
            "not in the order of time",
        ),
        ({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": []}]}}, "no labels or no sample"),
        ({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [1, [2, "2"]]}]}}, "order of time"),
    ],
)
async def test_an_answer_that_is_not_whole_and_sound_is_an_error_and_never_a_number(client: Prometheus, body: Any, sentence: str) -> None:
    async with FakeServer(body=body) as server:
        answer = await asked(client, server)
    assert isinstance(answer, MalformedError)
    assert sentence in str(answer)


async def test_text_that_is_no_json_is_an_error(client: Prometheus) -> None:
    async with FakeServer(web.Response(text="<html>")) as server:
        assert "the answer is not JSON" in str(await asked(client, server))


async def test_a_refused_query_is_the_querys_own_fault(client: Prometheus) -> None:
    refusal = web.Response(status=400, text=json.dumps({"status": "error", "error": "parse error: unclosed"}))
    async with FakeServer(refusal) as server:
        answers = await client.query(server.url, ["sum(", "up"], AT)
    assert sorted(isinstance(answer, MalformedError) for answer in answers) == [False, True]
    assert "the query is refused: parse error: unclosed" in [str(answer) for answer in answers]


@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (401, {}, "answered HTTP 401; its credentials come from --prometheus-token-file"),
        (404, {}, "answered HTTP 404"),
        (302, {"Location": "http://127.0.0.1:1/"}, "answered HTTP 302: a redirect is not followed"),
        (500, {}, "answered HTTP 500"),
    ],
)
async def test_a_server_that_refuses_to_answer_is_unreadable(
    client: Prometheus, status: int, headers: dict[str, str], sentence: str
) -> None:
    async with FakeServer(web.Response(status=status, headers=headers)) as server:
        with pytest.raises(UnreadableError, match=sentence):
            await asked(client, server)
    assert len(server.forms) == 1


async def test_a_busy_server_is_asked_once_more(client: Prometheus) -> None:
    async with FakeServer(web.Response(status=503)) as server:
        assert await asked(client, server) == []
    assert len(server.forms) == 2


async def test_nobody_listening_is_one_sentence_and_then_learned_at_once(client: Prometheus) -> None:
    async with FakeServer() as server:
        pass
    with pytest.raises(UnreadableError, match=f"the Prometheus server {server.url} cannot be asked: "):
        await asked(client, server)


async def test_a_server_that_did_not_answer_is_left_alone_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "_TIMEOUT", 0.5)
    client = Prometheus(monotonic=lambda: clock[0])
    async with FakeServer(60.0) as server:
        for _ in range(3):
            with pytest.raises(UnreadableError, match=r"did not answer within 0\.5 s"):
                await asked(client, server)
        assert len(server.forms) == 1
        clock[0] += 6
        monkeypatch.undo()
        assert await asked(client, server) == []
    await client.close()


async def test_an_endless_answer_is_cut_off(client: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 100_000)
    async with FakeServer(web.Response(text="x" * 200_000)) as server:
        assert "is larger than" in str(await asked(client, server))


async def test_no_server_is_flooded(client: Prometheus) -> None:
    async with FakeServer(*[0.02] * 20) as server:
        await asyncio.gather(*(client.query(server.url, ["a", "b"], AT) for _ in range(10)))
    assert len(server.forms) == 20
    assert server.most_at_once <= 4


@pytest.mark.parametrize(("secret", "sent"), [("abc.def\n", "Bearer abc.def"), ("user:pass\n", "Basic dXNlcjpwYXNz")])
async def test_credentials_are_sent_to_the_operators_own_server_alone_and_read_anew(tmp_path: Path, secret: str, sent: str) -> None:
    file = tmp_path / "token"
    file.write_text(secret)
    async with FakeServer() as trusted, FakeServer() as other:
        client = Prometheus(Access(token_file=file, trusted=trusted.url + "/"))
        await asked(client, trusted)
        await asked(client, other)
        file.write_text("rotated")
        await asked(client, trusted)
        file.unlink()
        with pytest.raises(UnreadableError, match="cannot be read"):
            await asked(client, trusted)
        await client.close()
    assert trusted.credentials == [sent, "Bearer rotated"]
    assert other.credentials == [None]


def test_readings_of_the_same_scrapes_have_the_same_time_on_a_grid_of_scrape_intervals() -> None:
    interval = timedelta(seconds=15)
    times = {aligned(AT + timedelta(seconds=seconds), interval) for seconds in range(2, 17)}
    assert times == {AT}
    assert aligned(AT + timedelta(seconds=17), interval) == AT + interval
    assert aligned(AT + timedelta(seconds=0.3), timedelta(seconds=1)) == AT
