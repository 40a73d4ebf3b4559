"""The pages in a real browser: silent, legible in the light and the dark, as narrow as a telephone, usable without a mouse, and live."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from headgate_operator.web.board import Board
from tests.chromium import chromium, needs_chromium
from tests.webview import BEARER, STABLE, TOKEN, at, at_rest, canary, fleet, pinned, rollout, served

TELEPHONE: ViewportSize = {"width": 360, "height": 800}
DESK: ViewportSize = {"width": 1280, "height": 900}
ONE = "/ui/d/ml/flight-delay"

pytestmark = needs_chromium


class Site:
    """A board that is served from a thread of its own, as the test's own is the browser's."""

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ends = asyncio.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(folder),))

    def __enter__(self) -> "Site":
        self._thread.start()
        assert self._begun.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.soon(self._ends.set)
        self._thread.join(60)
        self._loop.close()

    def soon(self, do: Callable[[], Any]) -> None:
        """Do something where the board lives."""
        self._loop.call_soon_threadsafe(do)

    async def _serve(self, folder: Path) -> None:
        async with served(self.board, folder) as self.url:
            self._begun.set()
            await self._ends.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    board = Board()
    fleet(board, 12)
    rollout(board)
    with Site(board, tmp_path) as running:
        yield running


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def context(browser: Browser, said: list[str]) -> Iterator[BrowserContext]:
    """Whatever a page complains of, or asks elsewhere, ends up in `said`."""
    made = browser.new_context(viewport=DESK, extra_http_headers=BEARER)
    made.on("console", lambda message: said.append(message.text))
    made.on("weberror", lambda error: said.append(str(error.error)))
    made.on("request", lambda asked: None if asked.url.startswith("http://127.0.0.1:") else said.append(asked.url))
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def complaints(page: Page) -> list[str]:
    """What axe finds wrong, by its rule and the first place."""
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in Axe().run(page).response["violations"]]


def test_pages_are_accessible_in_the_light_and_the_dark_on_a_desk_and_a_telephone(site: Site, page: Page, said: list[str]) -> None:
    for path in ("/ui/", ONE, "/ui/d/no/body"):
        page.goto(site.url + path)
        for width, scheme in ((DESK, "light"), (TELEPHONE, "dark")):
            page.set_viewport_size(width)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth") <= width["width"], path
            assert complaints(page) == [], (path, width, scheme)
    assert [words for words in said if "404" not in words] == []


def test_signing_in_works_and_is_accessible_without_a_mouse(site: Site, browser: Browser) -> None:
    stranger = browser.new_context(viewport=TELEPHONE)
    page = stranger.new_page()
    page.goto(site.url + ONE)
    assert complaints(page) == []
    page.get_by_label("Token").focus()
    page.keyboard.type("not the token at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    assert complaints(page) == []
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("ml/flight-delay")
    page.get_by_role("button", name="Sign out").click()
    page.goto(site.url + "/ui/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    stranger.close()


def test_the_list_is_searched_and_left_with_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.url + "/ui/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("flight")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("1 of 13 deployments")
    link = page.get_by_role("link", name="ml/flight-delay")
    for _ in range(12):
        page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("ml/flight-delay")


def test_a_page_says_in_words_what_it_draws(site: Site, page: Page) -> None:
    page.goto(site.url + ONE)
    drawn = page.get_by_role("img", name="Weight")
    expect(drawn).to_have_accessible_description(
        "Weight in % of traffic, from 03:00:00 to 03:04:55. "
        "6 (r9b2e77d1): 100 at first, 75 at last, 100 at most; 7 (r3f9a1c02): 0 at first, 25 at last, 25 at most."
    )
    page.get_by_text("Weight as a table").click()
    rows = page.get_by_role("region", name="Weight as a table").get_by_role("row")
    assert rows.last.inner_text().split() == ["03:04:55", "75", "25"]


def test_what_changes_arrives_without_taking_anything_away(site: Site, page: Page) -> None:
    page.goto(site.url + ONE)
    page.get_by_text("Weight as a table").click()
    page.get_by_role("region", name="Conditions").focus()
    site.soon(lambda: site.board.saw(("ml", "flight-delay"), canary(phase="Holding", weight=50), at=at(400), steps=3))
    expect(page.locator(".headline .badge")).to_have_text("Holding")
    expect(page.locator("#announcer")).to_have_text("Now Holding")
    expect(page.locator("#chart1-numbers")).to_have_attribute("open", "")
    expect(page.get_by_role("region", name="Conditions")).to_be_focused()
    assert complaints(page) == []
    page.get_by_role("button", name="Pause updates").click()
    promoted = at_rest(phase="Healthy", stable=pinned(STABLE, "7"))
    site.soon(lambda: site.board.saw(("ml", "flight-delay"), promoted, at=at(500), steps=3))
    expect(page.get_by_text("paused")).to_be_visible()
    page.get_by_role("button", name="Pause updates").click()
    expect(page.locator(".headline .badge")).to_have_text("Healthy")


def test_an_object_that_is_gone_and_an_operator_that_is_down_are_told(site: Site, page: Page) -> None:
    page.goto(site.url + ONE)
    site.soon(lambda: site.board.forget(("ml", "flight-delay")))
    expect(page.locator("#live-tools")).to_contain_text("gone")
    page.goto(site.url + "/ui/d/team-1/model-0001")
    page.route("**/ui/live/**", lambda route: route.abort())
    expect(page.locator("#live-tools")).to_contain_text("no answer from the operator")


def test_everything_is_there_without_javascript(site: Site, browser: Browser) -> None:
    plain = browser.new_context(java_script_enabled=False, extra_http_headers=BEARER)
    page = plain.new_page()
    page.goto(site.url + "/ui/?q=flight")
    page.get_by_role("link", name="ml/flight-delay").click()
    assert page.locator("figure").count() == 7
    assert page.locator('meta[http-equiv="refresh"]').count() == 1, "it loads itself anew"
    plain.close()


def test_five_hundred_deployments_are_one_page(tmp_path: Path, page: Page) -> None:
    board = Board()
    fleet(board, 500)
    with Site(board, tmp_path) as many:
        page.goto(many.url + "/ui/")
        assert page.locator("tbody tr").count() == 500
        assert page.locator("tbody tr").first.get_by_text("RolledBack").is_visible()


def test_a_report_opens_from_a_file_as_it_was_in_the_browser(site: Site, page: Page, said: list[str], tmp_path: Path) -> None:
    page.goto(site.url + ONE)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Save as a report").click()
    kept = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(kept)
    said.clear()
    page.goto(kept.as_uri())
    assert page.locator("figure svg[role=img]").count() == 7
    assert complaints(page) == []
    assert said == [kept.as_uri()]
