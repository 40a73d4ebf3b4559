"""Nobody looks who may not, and no site of others signs anybody in."""

import asyncio
import itertools
import logging
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from headgate_operator.web.access import COOKIE, SESSION_SECONDS, Access, AccessSettings, TokenError, read_token
from headgate_operator.web.board import Board
from tests.webview import BEARER, TOKEN, served

PATHS = ("/ui/", "/ui/live", "/ui/d/ml/flight-delay", "/ui/live/ml/flight-delay", "/ui/report/ml/flight-delay", "/ui/d/no/body", "/", "/x")


async def test_without_the_token_there_is_nothing_but_the_form(url: str, client: aiohttp.ClientSession) -> None:
    wrong = ("Bearer wrong-wrong-wrong-wrong", "Bearer ", TOKEN, f"Basic {TOKEN}")
    strangers: list[dict[str, str]] = [{}, {"X-Forwarded-User": "me"}, *({"Authorization": words} for words in wrong)]
    for path, headers in itertools.product(PATHS, strangers):
        async with client.get(url + path, headers=headers) as answer:
            text = await answer.text()
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "flight-delay" not in text.replace(path, "")
        assert '<input type="password"' in text


async def test_a_program_sends_the_token_with_every_request(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(url + "/ui/", headers=BEARER) as answer:
        assert answer.status == 200
        assert "flight-delay" in await answer.text()


async def test_a_person_signs_in_once_and_out_again(url: str, client: aiohttp.ClientSession) -> None:
    form = {"token": TOKEN, "next": "/ui/d/ml/flight-delay"}
    async with client.post(url + "/ui/login", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/ui/d/ml/flight-delay")
        cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/ui", f"Max-Age={SESSION_SECONDS}"} <= set(cookie.split("; "))
    async with client.get(url + "/ui/") as answer:
        assert answer.status == 200
    async with client.post(url + "/ui/logout", allow_redirects=False) as answer:
        assert answer.status == 303
    async with client.get(url + "/ui/") as answer:
        assert answer.status == 401


async def test_behind_tls_the_cookie_stays_there(url: str, client: aiohttp.ClientSession) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    async with client.post(url + "/ui/login", data={"token": TOKEN}, headers=headers, allow_redirects=False) as answer:
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")


async def test_signing_in_leads_nowhere_but_here(url: str, client: aiohttp.ClientSession) -> None:
    elsewhere = ("https://evil.example", "//evil.example", "/ui/\\evil", "/other", "", "/ui/live", "/ui/\r\nSet-Cookie: a=b", "/ui/login")
    for back in elsewhere:
        async with client.post(url + "/ui/login", data={"token": TOKEN, "next": back}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/ui/"), back


async def test_a_form_of_another_site_is_refused(url: str, client: aiohttp.ClientSession) -> None:
    foreign = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"})
    for headers, path in itertools.product(foreign, ("/ui/login", "/ui/logout")):
        async with client.post(url + path, data={"token": TOKEN}, headers=headers | BEARER, allow_redirects=False) as answer:
            assert answer.status == 403
            assert "Set-Cookie" not in answer.headers


async def test_wrong_tokens_are_told_and_then_not_looked_at_for_a_while(url: str, client: aiohttp.ClientSession) -> None:
    for _ in range(20):
        async with client.post(url + "/ui/login", data={"token": "not it"}) as answer:
            assert answer.status == 401
            assert "This is not the token." in await answer.text()
    async with client.post(url + "/ui/login", data={"token": TOKEN}) as answer:
        assert answer.status == 429
    async with client.get(url + "/ui/", headers=BEARER) as answer:
        assert answer.status == 200, "programs are not kept out by somebody else's guesses"


async def test_a_form_that_is_too_large_or_no_text_is_refused(url: str, client: aiohttp.ClientSession) -> None:
    async with client.post(url + "/ui/login", data={"token": "x" * 10_000}) as answer:
        assert answer.status == 413
    form = aiohttp.FormData()
    form.add_field("token", b"x", filename="token")
    async with client.post(url + "/ui/login", data=form) as answer:
        assert answer.status == 415


class Asked:
    """A request, as far as access looks at one."""

    def __init__(self, cookie: str = "", **headers: str) -> None:
        self.headers = headers
        self.cookies = {COOKIE: cookie}


def access(folder: Path, now: float = 1000.0, **settings: object) -> Access:
    (folder / "token").write_text(TOKEN)
    return Access(AccessSettings(token_file=folder / "token", **settings), clock=lambda: now)  # type: ignore[arg-type]


def test_a_session_ends_by_time_by_forgery_and_with_its_token(tmp_path: Path) -> None:
    cookie = access(tmp_path).sign_in(TOKEN)
    assert cookie is not None
    until, _, signature = cookie.partition(".")
    assert access(tmp_path, now=999.0 + SESSION_SECONDS).admits(Asked(cookie))  # type: ignore[arg-type]
    assert not access(tmp_path, now=1001.0 + SESSION_SECONDS).admits(Asked(cookie))  # type: ignore[arg-type]
    for forged in (f"{int(until) + 1}.{signature}", until, f"{until}.", f".{signature}", "x.y", "", "é.é"):
        assert not access(tmp_path).admits(Asked(forged)), forged  # type: ignore[arg-type]
    other = access(tmp_path)
    (tmp_path / "token").write_text("another-token-altogether")
    assert not other.admits(Asked(cookie))  # type: ignore[arg-type]
    assert other.admits(Asked(Authorization="bearer another-token-altogether"))  # type: ignore[arg-type]


def test_a_token_file_that_is_gone_lets_nobody_in_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = access(tmp_path)
    (tmp_path / "token").unlink()
    with caplog.at_level(logging.ERROR):
        assert not known.admits(Asked(Authorization=f"Bearer {TOKEN}"))  # type: ignore[arg-type]
        assert not known.admits(Asked(Authorization="Bearer "))  # type: ignore[arg-type]
    assert len(caplog.records) == 1
    assert "nobody can sign in" in caplog.text


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 2000])
def test_a_token_has_a_length_that_cannot_be_guessed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(TokenError, match="openssl rand -hex 32"):
        read_token(tmp_path / "token")


async def test_a_proxy_is_believed_only_if_it_was_named(board: Board, tmp_path: Path, client: aiohttp.ClientSession) -> None:
    async with served(board, tmp_path, proxy_header="X-Forwarded-User", by_token=False) as url:
        named, others = {"X-Forwarded-User": "me@example.com"}, ({"X-Forwarded-User": " "}, {"X-User": "me"}, BEARER, {})
        for headers, status in ((named, 200), *((other, 401) for other in others)):
            async with client.get(url + "/ui/", headers=headers) as answer:
                assert answer.status == status, headers
        async with client.post(url + "/ui/login", data={"token": TOKEN}) as answer:
            assert answer.status == 403


FORM = b"Content-Type: application/x-www-form-urlencoded"
MULTIPART = b"Content-Type: multipart/form-data"


@pytest.mark.parametrize(
    ("line", "header", "body", "status"),
    [
        (b"GET /ui/", b"Authorization: Bearer \xff\xfe", b"", 401),
        (b"GET /ui/", b"Cookie: headgate-ui=1.\xff\xfe", b"", 401),
        (b"GET /ui/", b"Cookie: headgate-ui=\xff.a", b"", 401),
        (b"POST /ui/login", FORM, b"token=\xff\xfe", 401),
        (b"POST /ui/login", FORM, b"token=%ff%ed%a0%80", 401),
        (b"POST /ui/login", FORM + b"; charset=nonsense", b"token=a", 401),
        (b"POST /ui/login", FORM, b"&".join(b"token=a" for _ in range(9)), 400),
        (b"POST /ui/login", MULTIPART, b"token=a", 415),
        (b"POST /ui/login", MULTIPART + b"; boundary=x", b"--x\r\n\r\na", 415),
        (b"POST /ui/login", b"Origin: http://[::1", b"token=a", 403),
    ],
)
async def test_nonsense_of_a_stranger_is_no_error_of_ours(
    url: str, caplog: pytest.LogCaptureFixture, line: bytes, header: bytes, body: bytes, status: int
) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    length = f"Content-Length: {len(body)}".encode()
    writer.write(b"\r\n".join([line + b" HTTP/1.1", b"Host: a", b"Connection: close", length, header, b"", body]))
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert int(answer.split()[1]) == status
    assert caplog.records == []
