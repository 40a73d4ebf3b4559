"""A web view on a free port, and a client without a browser's habits."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from headgate_operator.web.board import Board
from tests.webview import rollout, served


@pytest.fixture
def board() -> Board:
    made = Board()
    rollout(made)
    return made


@pytest.fixture
async def url(board: Board, tmp_path: Path) -> AsyncIterator[str]:
    async with served(board, tmp_path) as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session
