"""The web view of real operator processes in a real browser: what happens in the cluster arrives on an open page, also beside a leader."""

from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright, expect

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.errors import free_port
from headgate_operator.api.crd import crd
from tests.chromium import LAUNCH, PATIENCE, needs_chromium
from tests.operatorprocess import manifest, stalled, until
from tests.webview import BEARER, TOKEN

pytestmark = needs_chromium


async def test_what_an_operator_sees_arrives_on_an_open_page_and_one_that_waits_shows_statuses(
    api: ApiClient, start: Any, tmp_path: Path
) -> None:
    await api.apply(crd(), field_manager="test")
    await api.apply(manifest("before"), field_manager="test")
    (tmp_path / "token").write_text(TOKEN)
    ports = free_port(), free_port()
    flags = [("--ui", "--ui-address", f"127.0.0.1:{port}", "--ui-token-file", str(tmp_path / "token")) for port in ports]
    leader = await start(*flags[0])
    await until(lambda: stalled(api, "before"), leader)
    waiting = await start(*flags[1])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**LAUNCH)
        context = await browser.new_context(extra_http_headers=BEARER)
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{ports[0]}/ui/")
        await expect(page.locator("#count")).to_have_text("1 deployment", timeout=PATIENCE)
        await api.apply(manifest("after"), field_manager="test")
        await expect(page.get_by_role("link", name="ml/after")).to_be_visible(timeout=PATIENCE)
        await page.get_by_role("link", name="ml/after").click()
        await expect(page.locator(".headline")).to_contain_text("RuntimeMissing", timeout=PATIENCE)
        await expect(page.get_by_role("region", name="Events")).to_contain_text("RuntimeMissing", timeout=PATIENCE)

        async def says() -> bool:
            return "another operator leads" in waiting.said

        await until(says, waiting)
        await page.goto(f"http://127.0.0.1:{ports[1]}/ui/")
        await expect(page.get_by_text("waits for its Lease")).to_be_visible(timeout=PATIENCE)
        await expect(page.get_by_role("link", name="ml/before")).to_be_visible(timeout=PATIENCE)
        await browser.close()
    for operator in (leader, waiting):
        assert (await operator.end())[0] == 0, operator.said
        assert "Traceback" not in operator.said
