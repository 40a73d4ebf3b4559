"""What may be used, and what the reports about it say. Building the wheel and asking for vulnerabilities need a network: make does them."""

import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.supplychain.licences import Package, complaints, packages, reached
from tests.supplychain.vulnerabilities import verdict
from tests.supplychain.wheel import PACKAGES, absent

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def locked() -> list[Package]:
    return packages(tomllib.loads((ROOT / "uv.lock").read_text()))


def test_every_locked_package_may_be_used_and_notice_names_those_with_conditions(locked: list[Package]) -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert complaints(locked, notice) == []
    listed = {name.strip() for line in notice.splitlines() if line.startswith("- ") for name in line[2:].partition(":")[0].split(",")}
    assert listed == {package.name for package in locked if package.conditions}, "no more and no less"


@pytest.mark.parametrize(
    ("licence", "groups", "says"),
    [
        ("", {"dev"}, "does not say its licence"),
        ("MPL-2.0", {"operator"}, "name it in NOTICE"),
        ("GPL-3.0", {"operator"}, "would be in the images of operator"),
        ("BUSL-1.1", {"dev"}, "name it in NOTICE"),
        ("AGPL-3.0-only AND MIT", {"serving"}, "would be in the images of serving"),
    ],
)
def test_a_licence_with_conditions_is_complained_of(licence: str, groups: set[str], says: str) -> None:
    found = complaints([Package("some-package", "1.0", licence, frozenset(groups))], "names nobody")
    assert any(says in sentence for sentence in found)


def test_of_alternatives_the_permissive_one_is_chosen() -> None:
    assert not Package("a", "1", "(MPL-2.0 OR MIT) AND Apache-2.0", frozenset()).conditions
    assert Package("a", "1", "MPL-2.0 AND (Apache-2.0 OR MIT)", frozenset()).conditions == {"MPL-2.0"}


def test_what_images_contain_is_followed_through_the_lock(locked: list[Package]) -> None:
    groups = {package.name: package.groups for package in locked}
    assert {"operator", "monitor", "dev"} <= groups["multidict"], "which aiohttp needs"
    assert groups["ruff"] == {"dev"}
    lock: Any = {
        "package": [
            {"name": "headgate", "dev-dependencies": {"operator": [{"name": "a"}]}},
            {"name": "a", "optional-dependencies": {"x": [{"name": "b"}]}},
            {"name": "b", "dependencies": [{"name": "a"}]},
        ]
    }
    assert reached(lock) == {"a": {"operator"}, "b": {"operator"}}


def package(name: str, *vulnerabilities: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [{"id": one, "fix_versions": ["1.1"]} for one in vulnerabilities]}


def test_what_was_not_looked_at_is_never_called_safe() -> None:
    skipped = {"name": "b", "skip_reason": "Dependency not found on PyPI and could not be audited"}
    assert verdict({"dependencies": [package("a")]}) == (0, ["1 packages looked at, 0 known vulnerabilities"])
    code, said = verdict({"dependencies": [package("a"), skipped]})
    assert (code, "not looked at" in said[-1]) == (3, True)
    code, said = verdict({"dependencies": [skipped, skipped]})
    assert (code, "knows none of 2 packages" in said[0]) == (3, True)
    code, said = verdict({"dependencies": [package("a", "CVE-2026-1"), skipped]})
    assert (code, said[0]) == (1, "a 1.0: CVE-2026-1; fixed in 1.1")


def test_a_file_that_the_wheel_lacks_is_named(tmp_path: Path) -> None:
    told = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    held = [path.partition("/")[2] for path in told]
    assert any(path.endswith(".j2") for path in held), "templates are needed at run time"
    wheel = tmp_path / "headgate.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        for path in held[1:]:
            files.writestr(path, "")
    assert held[0] in absent(wheel, "HEAD")
