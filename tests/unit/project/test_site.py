"""The documentation site: it builds strictly, and a reader's browser asks nobody else for anything."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=[\"']?([^\"'> ]+)|<link\b[^>]*?\bhref=[\"']?([^\"'> ]+)")
_FROM_STYLE = re.compile(r"(?:url\(|@import )['\"]?((?:https?:)?//[^'\")]+)")


def build(repository: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = {
        (page.name, target)
        for page in site.rglob("*.html")
        for found in _LOADED.findall(page.read_text(encoding="utf-8"))
        for target in found
        if target and re.match(r"(https?:)?//", target)
    }
    assert loaded == set()
    assert [style.name for style in site.rglob("*.css") if _FROM_STYLE.search(style.read_text(encoding="utf-8"))] == []


def test_links_to_elsewhere_are_addresses(site: Path) -> None:
    """Whether somebody answers there is not asked: tests need no network."""
    said = {
        link for page in site.rglob("*.html") for link in re.findall(r'<a\b[^>]*?\bhref="([a-z]+:[^"]*)"', page.read_text(encoding="utf-8"))
    }
    assert len(said) > 20
    assert [link for link in said if not re.fullmatch(r"https://([a-z0-9-]+\.)+[a-z]{2,}(/[^\s\"<>]*)?", link)] == []


def test_pages_from_elsewhere_in_the_repository_link_to_pages(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="quickstart.html"' in home
    assert 'href="contributing.html"' in home
    assert 'href="examples/flights.html#files"' in (site / "pipelines.html").read_text(encoding="utf-8")


def test_a_broken_link_and_a_broken_anchor_fail_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "components", "examples", "images", "tests/e2e"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    with (tmp_path / "README.md").open("a") as readme:
        readme.write("\n[one](docs/nowhere.md) [two](docs/runbook.md#nothing) [three](docs/images/nothing.png)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    for words in ("nowhere.md", "#nothing", "nothing.png"):
        assert words in done.stderr
