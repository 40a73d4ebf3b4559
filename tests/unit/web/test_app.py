"""Answers: what is in them, what is around them, and what is refused."""

import asyncio
import itertools
import re
from pathlib import Path

import aiohttp
import pytest

from headgate_operator.api.spec import Owner
from headgate_operator.pages.deployment import Told
from headgate_operator.web import server
from headgate_operator.web.board import Board
from tests.webview import BEARER, CANDIDATE, at, at_rest, canary, condition, pinned, served

ONE = "/ui/d/ml/flight-delay"
PAGES = ("/ui/", ONE, "/ui/login", "/ui/d/no/body")
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"


async def get(client: aiohttp.ClientSession, address: str, **headers: str) -> tuple[int, str]:
    async with client.get(address, headers=BEARER | headers) as answer:
        return answer.status, await answer.text()


async def test_every_answer_has_the_headers_that_let_a_browser_do_little(url: str, client: aiohttp.ClientSession) -> None:
    for path in (*PAGES, "/ui/?page=x", "/ui/live", "/nothing", "/ui/assets/x/y", "/"):
        async with client.get(url + path, headers=BEARER, allow_redirects=False) as answer:
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
            assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Server" not in answer.headers


async def test_pages_have_nothing_inline_and_load_nothing_from_elsewhere(url: str, client: aiohttp.ClientSession) -> None:
    for path in PAGES:
        _, text = await get(client, url + path)
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
        loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', text)
        assert loaded
        assert all(re.fullmatch(r"/ui/assets/[0-9a-f]{16}/[a-z.]+", address) for address in loaded)


async def test_assets_stay_in_the_browser_because_their_address_is_their_content(url: str, client: aiohttp.ClientSession) -> None:
    _, text = await get(client, url + "/ui/")
    for address in re.findall(r'"(/ui/assets/[^"]*)"', text):
        async with client.get(url + address) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
        assert (await get(client, url + address.replace("/assets/", "/assets/0")))[0] == 404


async def test_a_page_tells_all_that_is_known_of_an_object(url: str, client: aiohttp.ClientSession) -> None:
    status, text = await get(client, url + ONE)
    assert status == 200
    told = ("CandidateStarted", "version 7 was found", "8 of 98 (8.16 %)", "temp")
    for words in ("Progressing", "ops-analytics", CANDIDATE, "step 2 of 3", *told):
        assert words in text, words
    metrics = ["Bad answers: errors", "Bad answers: latency", "Evidence to roll back", "Evidence to promote"]
    assert re.findall(r"<figcaption[^>]*>([^<]*) <small>", text) == ["Weight", "Requests", *metrics, "Drift"]


async def test_what_people_wrote_is_shown_and_never_run(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    board = Board()
    evil = canary(
        conditions=[condition("Stalled", "True", EVIL[:50], EVIL)],
        rejected=[{"id": EVIL, "version": EVIL, "reason": EVIL, "message": EVIL, "at": "2026-11-21T03:00:00Z"}],
        stable=pinned(EVIL, EVIL), url=EVIL, drift={"window": 1, "top": [{"feature": EVIL, "distance": 0.5}]},
        lastCommand={"command": EVIL, "at": "2026-11-21T03:00:00Z", "by": EVIL, "result": EVIL},
    )  # fmt: skip
    told = [Told(at=at(0), reason=EVIL, message=EVIL, warning=True, revision=EVIL)]
    owner = Owner.model_construct(team=EVIL, contact=EVIL, runbook="javascript:alert(3)")  # the API server takes https only
    for look in range(3):
        board.saw(("ml", "evil"), evil, at=at(look), steps=3, owner=owner, told=told)
    board.failed(("ml", "evil"), EVIL)
    async with served(board, tmp_path) as url:
        for path in ("/ui/", "/ui/live", "/ui/d/ml/evil", "/ui/live/ml/evil", "/ui/report/ml/evil", f"/ui/?q={EVIL}"):
            status, text = await get(client, url + path)
            assert status == 200
            assert "<script>" not in text, path
            assert "<img" not in text, path
            assert 'href="javascript' not in text


async def test_a_changing_part_is_sent_once_a_version(board: Board, url: str, client: aiohttp.ClientSession) -> None:
    for path in ("/ui/live", "/ui/live/ml/flight-delay"):
        async with client.get(url + path, headers=BEARER) as answer:
            etag = answer.headers["ETag"]
            text = await answer.text()
        assert "<html" not in text
        assert await get(client, url + path, **{"If-None-Match": etag}) == (304, "")
        assert await get(client, url + path, **{"If-None-Match": f"W/{etag}"}) == (304, "")
        board.saw(("ml", "flight-delay"), at_rest(), at=at(400), steps=3)
        async with client.get(url + path, headers=BEARER | {"If-None-Match": '"another-life-1"'}) as answer:
            assert answer.status == 200


async def test_a_report_is_one_file_that_loads_nothing(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(url + "/ui/report/ml/flight-delay", headers=BEARER) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="headgate-ml-flight-delay.html"'
        text = await answer.text()
    assert "<style>" in text
    assert text.count("<figure") == 7
    assert not re.search(r"<script|<link|src=", text)


async def test_nothing_but_reading_is_possible(url: str, client: aiohttp.ClientSession) -> None:
    for method, path in itertools.product(("POST", "PUT", "PATCH", "DELETE", "OPTIONS"), ("/ui/", ONE, "/ui/live")):
        async with client.request(method, url + path, headers=BEARER) as answer:
            assert answer.status == 405
            assert "Content-Security-Policy" in answer.headers
        async with client.request(method, url + path) as answer:
            assert answer.status == 401


async def test_a_head_request_is_answered_like_a_get(url: str, client: aiohttp.ClientSession) -> None:
    async with client.head(url + ONE, headers=BEARER) as answer:
        assert answer.status == 200


async def test_what_is_not_there_and_what_cannot_be_asked_is_one_sentence(url: str, client: aiohttp.ClientSession) -> None:
    assert "the ModelDeployment is gone" in (await get(client, url + "/ui/d/ml/nobody"))[1]
    status, text = await get(client, url + "/ui/?phase=Sleepy")
    assert status == 400
    assert "There is no such phase; there are Pending" in text
    assert (await get(client, url + "/ui/?q=" + "x" * 9000))[0] in (400, 414)


async def test_connections_are_bounded_and_idle_ones_end(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(server, "_IDLE_SECONDS", 1.0)
    async with served(board, tmp_path) as url:
        port = int(url.rpartition(":")[2])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        opened[0][1].write(b"GET /ui/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")  # and never the rest
        async with asyncio.timeout(60):
            assert (await opened[3][0].read()).startswith(b"HTTP/1.1 503 ")
            for reader, _ in opened[:3]:
                assert await reader.read() == b""
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /ui/login HTTP/1.0\r\n\r\n")
            assert b"200 OK" in await reader.read()
        for _, one in [*opened, (reader, writer)]:
            one.close()
