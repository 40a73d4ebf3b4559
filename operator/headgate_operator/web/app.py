"""Addresses and answers of the web view.

    /ui/                      the list          /ui/live               its changing part
    /ui/d/<ns>/<name>         one object        /ui/live/<ns>/<name>   its changing part
    /ui/report/<ns>/<name>    the same as a file to keep
    /ui/login  /ui/logout     for people        /ui/assets/<hash>/…    style, script, icon

Only these two forms take a POST, and nothing at all changes anything in the cluster.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from headgate_operator.api.status import Phase
from headgate_operator.pages.document import asset, render, report
from headgate_operator.pages.words import utc
from headgate_operator.web.access import COOKIE, SESSION_SECONDS, Access, is_from_our_pages
from headgate_operator.web.board import Board, Key
from headgate_operator.web.listing import Query, QueryError, Sort, listing, read_query

_OPEN: Final = re.compile(r"/ui/(login|assets/.*)")
"""What is answered without signing in."""
_LONGEST_FORM: Final = 8 << 10
_MOST_FIELDS: Final = 8
_COMPRESSED_FROM: Final = 16 << 10
_KEPT: Final = 32
_FRESH_SECONDS: Final = 1.0
"""How long what was drawn serves for others who ask the same: however many look, the loop draws it once a second."""
_ASSETS: Final = {"page.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Knows(Protocol):
    """Where the board's knowledge comes from."""

    @property
    def banner(self) -> str:
        """What a reader must know about it; empty if all is as usual."""
        ...

    async def refresh(self) -> None:
        """Bring the board up to date if nobody else does."""
        ...


@dataclass(frozen=True)
class _Drawn:
    etag: str
    at: float
    html: str


class Pages:
    """Answers requests from a board."""

    def __init__(self, board: Board, access: Access, knows: Knows) -> None:
        self._board = board
        self._access = access
        self._knows = knows
        self._life = secrets.token_hex(4)
        """Versions count from 0 in every process."""
        self._assets = {name: _hash(asset(name)) for name in _ASSETS}
        self._drawn: dict[Query | Key, _Drawn] = {}

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._guard], client_max_size=_LONGEST_FORM)
        app.add_routes(
            [
                web.get("/", _to_the_list),
                web.get("/ui", _to_the_list),
                web.get("/ui/", self._list),
                web.get("/ui/live", self._live_list),
                web.get("/ui/d/{namespace}/{name}", self._one),
                web.get("/ui/live/{namespace}/{name}", self._live_one),
                web.get("/ui/report/{namespace}/{name}", self._report),
                web.get("/ui/assets/{hash}/{name}", self._asset),
                web.get("/ui/login", self._login_page),
                web.post("/ui/login", self._sign_in),
                web.post("/ui/logout", self._sign_out),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may look, and say in a page what cannot be answered."""
        if _OPEN.fullmatch(request.path) is None and not self._access.admits(request):
            if request.method not in ("GET", "HEAD"):
                raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
            return self._login(status=401, back=request.path_qs)
        try:
            return await handler(request)
        except QueryError as error:
            return self._problem(400, "This cannot be asked", str(error))
        except web.HTTPNotFound:
            return self._problem(404, "Not here", "There is no such page, or the ModelDeployment is gone or served by another operator.")

    async def _list(self, request: web.Request) -> web.Response:
        query = read_query(request.query)
        await self._knows.refresh()
        values = {"listing": listing(self._board.rows(), query), "banner": self._knows.banner, "phases": list(Phase), "sorts": list(Sort)}
        return self._page("list.html.j2", values | {"fragment": query.address("/ui/live")}, live=True)

    async def _live_list(self, request: web.Request) -> web.Response:
        query = read_query(request.query)
        await self._knows.refresh()
        banner = self._knows.banner

        def draw() -> str:
            return render("rows.html.j2", {"listing": listing(self._board.rows(), query), "banner": banner})

        return self._part(request, query, f"{self._board.version}-{_hash(banner.encode())[:4]}", draw)

    async def _one(self, request: web.Request) -> web.Response:
        key = await self._key(request)
        path = "/".join(key)
        values = {"shown": self._board.shown(key), "fragment": f"/ui/live/{path}", "report": f"/ui/report/{path}"}
        return self._page("one.html.j2", values, live=True)

    async def _live_one(self, request: web.Request) -> web.Response:
        key = await self._key(request)
        version = str(self._board.version_of(key))
        return self._part(request, key, version, lambda: render("deployment.html.j2", {"shown": self._board.shown(key)}))

    def _part(self, request: web.Request, what: Query | Key, version: str, draw: Callable[[], str]) -> web.Response:
        """Return the changing part of a page, or that whoever asks has it already."""
        etag = f'"{self._life}-{version}"'
        if _has(request, etag):
            return web.Response(status=304, headers={"ETag": etag})
        drawn, now = self._drawn.pop(what, None), time.monotonic()
        if drawn is None or (drawn.etag != etag and now - drawn.at > _FRESH_SECONDS):
            drawn = _Drawn(etag, now, draw())
        while len(self._drawn) >= _KEPT:
            self._drawn.pop(next(iter(self._drawn)))
        self._drawn[what] = drawn
        if _has(request, drawn.etag):
            return web.Response(status=304, headers={"ETag": drawn.etag})
        return _html(drawn.html, etag=drawn.etag)

    async def _report(self, request: web.Request) -> web.Response:
        key = await self._key(request)
        shown = self._board.shown(key)
        assert shown is not None
        answer = _html(report(shown, utc(datetime.now(UTC))))
        answer.headers["Content-Disposition"] = f'attachment; filename="headgate-{"-".join(key)}.html"'
        return answer

    async def _key(self, request: web.Request) -> Key:
        """Return whom an address is about; 404 if nobody knows."""
        await self._knows.refresh()
        key = (request.match_info["namespace"], request.match_info["name"])
        if self._board.version_of(key) is None:
            raise web.HTTPNotFound
        return key

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if self._assets.get(name) != request.match_info["hash"]:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}  # another content has another address
        return web.Response(body=asset(name), content_type=_ASSETS[name], charset="utf-8", headers=headers)

    async def _login_page(self, request: web.Request) -> web.Response:
        if self._access.admits(request):
            raise web.HTTPSeeOther("/ui/")
        return self._login(status=200, back="/ui/")

    async def _sign_in(self, request: web.Request) -> web.Response:
        if not self._access.by_token or not is_from_our_pages(request):
            raise web.HTTPForbidden(text="Sign in with the form of this site.\n")
        form = await _form(request)
        back, given = form.get("next", ""), form.get("token", "")
        if self._access.tired:
            return self._login(status=429, back=back, problem="Too many wrong tokens; try again in a minute.")
        cookie = self._access.sign_in(given)
        if cookie is None:
            return self._login(status=401, back=back, problem="This is not the token.")
        answer = web.Response(status=303, headers={"Location": _path_of_ours(back)})
        answer.set_cookie(
            COOKIE, cookie, max_age=SESSION_SECONDS, path="/ui", httponly=True, samesite="Strict", secure=_is_encrypted(request)
        )  # fmt: skip
        return answer

    async def _sign_out(self, request: web.Request) -> web.Response:
        if not is_from_our_pages(request):
            raise web.HTTPForbidden(text="Sign out with the button of this site.\n")
        answer = web.Response(status=303, headers={"Location": "/ui/login"})
        answer.del_cookie(COOKIE, path="/ui")
        return answer

    def _login(self, *, status: int, back: str, problem: str = "") -> web.Response:
        values = {"problem": problem, "next": _path_of_ours(back), "by_token": self._access.by_token}
        answer = self._page("login.html.j2", values, status=status, signed_in=False)
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    def _problem(self, status: int, title: str, sentence: str) -> web.Response:
        return self._page("problem.html.j2", {"title": title, "sentence": sentence}, status=status)

    def _page(
        self, template: str, values: dict[str, Any], *, status: int = 200, live: bool = False, signed_in: bool = True
    ) -> web.Response:  # fmt: skip
        addresses = {kind: f"/ui/assets/{self._assets[name]}/{name}" for kind, name in _KINDS.items()}
        frame = {"assets": addresses, "live": live, "signed_in": signed_in, "may_leave": signed_in and self._access.by_token}
        return _html(render(template, frame | values), status=status)


_KINDS: Final = {"style": "page.css", "script": "live.js", "icon": "icon.svg"}


async def _to_the_list(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/ui/")


def _html(text: str, *, status: int = 200, etag: str | None = None) -> web.Response:
    answer = web.Response(text=text, status=status, content_type="text/html", headers={"ETag": etag} if etag is not None else {})
    if len(text) > _COMPRESSED_FROM:
        answer.enable_compression()
    return answer


def _has(request: web.Request, etag: str) -> bool:
    """Whether whoever asks has that already; a proxy that compresses marks it weak."""
    return request.headers.get("If-None-Match", "").removeprefix("W/") == etag


async def _form(request: web.Request) -> dict[str, str]:
    """Read a form of ours. aiohttp's own reading fails on a charset or a boundary that is nonsense, and strangers may send any."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Sign in with the form of this site.\n")
    try:
        return dict(parse_qsl((await request.read()).decode(errors="replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise web.HTTPBadRequest(text="Sign in with the form of this site.\n") from None


def _path_of_ours(back: str) -> str:
    """Return where to go after signing in: nowhere but here, and to no changing part of a page."""
    plain = back.startswith("/ui/") and all(33 <= ord(letter) < 127 for letter in back) and "\\" not in back
    return back if plain and not back.startswith(("/ui/live", "/ui/login")) else "/ui/"


def _is_encrypted(request: web.Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us; whoever claims it wrongly makes only his own cookie stricter."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
