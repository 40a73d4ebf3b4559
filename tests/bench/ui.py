"""The web view: 500 deployments on a page in a real browser, what drawing takes of the operator's loop, and memory with 5,000 objects."""

import asyncio
import gc
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from headgate_operator.pages.document import render
from headgate_operator.web.board import Board
from headgate_operator.web.listing import Query, listing
from tests.bench.report import Cell, Report, Table
from tests.webview import BEARER, at, at_rest, canary, fleet, rollout, served

SECONDS = 2.0
"""In which 500 deployments on one page are promised."""
MEGABYTES = 40.0
"""Of 5,000 objects, a tenth of them in a rollout, beside what the operator takes without a web view."""
_VIEWPORTS = {"desk": {"width": 1280, "height": 900}, "telephone": {"width": 360, "height": 800}}


def run(*, quick: bool) -> Report:
    """Measure; the quick version looks twice instead of ten times."""
    times = 2 if quick else 10
    seen, missed = asyncio.run(_in_browser(times))
    memory, lost = _memory(500 if quick else 5000)
    return Report(tables=[seen, _drawing(times), memory], missed=missed + lost)


async def _in_browser(times: int) -> tuple[Table, list[str]]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return Table(title="In the browser", columns=("page",), rows=[], note="needs the chromium program"), []
    board = Board()
    fleet(board, 499)
    rollout(board, looks=240)
    rows: list[tuple[Cell, ...]] = []
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        async with served(board, Path(folder)) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for path, name in (("/ui/", "list of 500"), ("/ui/d/ml/flight-delay", "one rollout")):
                for screen in _VIEWPORTS:
                    found = [await _load(browser, url + path, screen) for _ in range(times)]
                    waited, worked = (statistics.median(one) for one in zip(*found, strict=True))
                    rows.append((name, screen, waited, max(found)[0], worked))
                    if waited >= SECONDS:
                        missed.append(f"{name} on a {screen} took {waited:.1f} s; {SECONDS:g} s are promised")
            await browser.close()
    columns = ("page", "screen", "median, s", "longest, s", "the page's processor time, s")
    note = "From asking for the page in a new browser context until it is loaded, laid out and painted."
    return Table(title="In the browser", columns=columns, rows=rows, note=note), missed


async def _load(browser: Browser, url: str, screen: str) -> tuple[float, float]:
    """Return how long a page took, and the processor time of the browser's process for it, which depends on the machine's load little."""
    context = await browser.new_context(viewport=_VIEWPORTS[screen], extra_http_headers=BEARER)  # type: ignore[arg-type]
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(url)
    await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds = time.perf_counter() - began
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in (await session.send("Performance.getMetrics"))["metrics"]}
    await context.close()
    return seconds, metrics["ProcessTime"]


def _drawing(times: int) -> Table:
    board = Board()
    fleet(board, 499)
    rollout(board, looks=240)
    status = canary()
    tasks: dict[str, Callable[[], object]] = {
        "a list of 500": lambda: render("rows.html.j2", {"listing": listing(board.rows(), Query()), "banner": ""}),
        "one rollout of 240 samples": lambda: render("deployment.html.j2", {"shown": board.shown(("ml", "flight-delay"))}),
        "a look at a canary, put on the board": lambda: board.saw(("ml", "x"), status, at=at(0), steps=3),
    }
    rows: list[tuple[Cell, ...]] = [(name, 1000 * _processor_seconds(task, times)) for name, task in tasks.items()]
    note = "However many look at the same page, it is drawn once a second at most."
    return Table(title="Drawing, on the operator's loop", columns=("what", "processor time, ms"), rows=rows, note=note)


def _processor_seconds(task: Callable[[], object], times: int) -> float:
    task()
    began = time.process_time()
    for _ in range(5 * times):
        task()
    return (time.process_time() - began) / (5 * times)


def _memory(size: int) -> tuple[Table, list[str]]:
    """Fill a board: nine tenths at rest, one tenth in a rollout of 120 looks that all differ."""
    gc.collect()
    before, board = _resident(), Board()
    for number in range(size):
        key = ("ml", f"model-{number:04}")
        if number % 10:
            for look in range(3):
                board.saw(key, at_rest(str(number)), at=at(300 * look), steps=3)
        else:
            rollout(board, key, looks=120)
    gc.collect()
    taken = _resident() - before
    rows: list[tuple[Cell, ...]] = [(size, taken, 1024 * taken / size, board.past / (1 << 20))]
    missed = [f"{size} objects take {taken:.0f} MB; {MEGABYTES:g} MB are promised"] if taken > MEGABYTES else []
    columns = ("objects", "memory, MB", "KB an object", "of it samples and Events, MB")
    return Table(title="Memory of the board, one object of ten in a rollout", columns=columns, rows=rows), missed


def _resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
