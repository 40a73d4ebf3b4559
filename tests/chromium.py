"""A real browser, if this machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

BINARY: Final = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(BINARY is None, reason="needs the chromium program (apt-get install chromium)")

LAUNCH: Final[dict[str, Any]] = {"executable_path": BINARY, "args": ["--no-sandbox"]}
"""What playwright's `chromium.launch` is given."""

PATIENCE: Final = 60_000
"""How long a page may take to become as it should be, in milliseconds, as Playwright counts."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one, and end it with the block."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**LAUNCH)
        yield launched
        launched.close()
