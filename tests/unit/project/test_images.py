"""The Containerfiles follow our rules, and each image's dependency groups hold all that its code imports."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from images.build import command, tag
from images.recipes import ROOT, Recipe, context, instructions, recipes

from tests.overlays import KUBECTL, NEEDS_KUBECTL, OVERLAYS, pods, rendered

HADOLINT = shutil.which("hadolint") or str(Path(sys.executable).with_name("hadolint"))
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PACKAGES = {package["name"]: package for package in LOCK["package"]}
SECRETS = re.compile(r"token|secret|password|credential|\.netrc|_key\b", re.IGNORECASE)


@pytest.fixture(params=recipes(), ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return request.param


def hadolint(path: Path) -> tuple[int, str]:
    done = subprocess.run([HADOLINT, "--no-color", str(path)], check=False, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout


def test_hadolint_has_nothing_to_say(recipe: Recipe) -> None:
    assert hadolint(recipe.path) == (0, "")
    assert "hadolint ignore" not in recipe.path.read_text()


def test_hadolint_would_have(tmp_path: Path) -> None:
    path = tmp_path / "bad.Containerfile"
    path.write_text("FROM python:latest\nRUN cd /tmp && sudo pip install kopf\n")
    code, said = hadolint(path)
    assert code == 1
    assert {"DL3003", "DL3004", "DL3007"} <= {*re.findall(r"DL\d+", said)}


def test_an_image_is_built_in_stages_from_the_lock_alone_and_runs_as_nobody(recipe: Recipe) -> None:
    lines = list(instructions(recipe.path))
    last_from = max(number for number, (keyword, _) in enumerate(lines) if keyword == "FROM")
    final = lines[last_from:]
    assert [rest for keyword, rest in lines[:last_from] if keyword == "FROM"] == ["${UV} AS uv", "${PYTHON} AS build"]
    for sync in recipe.syncs:
        assert {"--frozen", "--no-default-groups"} <= {*sync}
    assert ["--no-install-project" in sync for sync in recipe.syncs] == [True, False], "dependencies are a layer of their own"
    copies = [rest for keyword, rest in final if keyword == "COPY"]
    assert copies == ["--from=build /opt/headgate /opt/headgate"], "neither uv nor sources"
    assert ("USER", "65532:65532") in final
    assert not any(keyword == "RUN" for keyword, _ in final[final.index(("USER", "65532:65532")) :])
    assert [keyword for keyword, _ in final].count("HEALTHCHECK") == 1
    assert not any(keyword == "ADD" or SECRETS.search(rest) for keyword, rest in lines)


def test_labels_say_where_an_image_comes_from(recipe: Recipe) -> None:
    (labels,) = [rest for keyword, rest in instructions(recipe.path) if keyword == "LABEL"]
    found = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]+)"', labels))
    assert found.keys() == {"title", "description", "version", "revision", "source", "licenses", "base.name"}
    assert (found["version"], found["revision"], found["base.name"]) == ("${VERSION}", "${REVISION}", "${PYTHON}")


def test_all_images_have_the_same_bases_and_the_uv_of_the_makefile() -> None:
    (defaults,) = {tuple(rest for keyword, rest in instructions(recipe.path) if keyword == "ARG") for recipe in recipes()}
    (uv,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    python, from_uv, *_ = defaults
    assert from_uv == f"UV=ghcr.io/astral-sh/uv:{uv}"
    assert re.fullmatch(r"PYTHON=docker\.io/library/python:3\.11\.\d+-slim-\w+", python)


@pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
def test_images_are_tagged_as_the_manifests_and_pipelines_ask_for_them() -> None:
    wanted = {*re.findall(r"image: (\S*/headgate-\S+)", yaml.safe_dump_all(obj for name in OVERLAYS for obj in rendered(name)))}
    pipeline = (ROOT / "manifests" / "pipelines" / "training.yaml").read_text()
    wanted |= {*re.findall(r"image: (\S*/headgate-\S+)", pipeline)}
    assert {tag(recipe) for recipe in recipes()} == wanted
    for recipe in recipes():
        line = command(recipe, "docker", revision="0" * 40, epoch="1")
        assert line[-1] == "."
        assert all((ROOT / name).exists() for name in (line[line.index("--file") + 1], *context()))


@pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
def test_an_image_starts_and_is_asked_for_its_health_as_the_manifests_do_it(recipe: Recipe) -> None:
    containers = [container for _, pod in pods(rendered("kind")) for container in pod["containers"] if container["image"] == tag(recipe)]
    for container in containers:
        assert tuple(container.get("command", recipe.entrypoint)) == recipe.entrypoint
        (check,) = [rest for keyword, rest in instructions(recipe.path) if keyword == "HEALTHCHECK"]
        program = json.loads(check[check.index("[") :])
        assert f"'{container['livenessProbe']['httpGet']['path']}'" in program[-1]
        assert compile(program[-1], "HEALTHCHECK", "exec")
    assert len(containers) == (recipe.name != "components")


def test_the_context_has_what_the_wheel_is_built_of_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.partition("/")[0] for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    files = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml", "uv.lock"}
    assert {*context()} == folders | files
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*", "what is not named is left out"


def test_what_an_image_runs_imports_only_what_its_groups_install(recipe: Recipe) -> None:
    installed = closure(recipe.groups)
    homes = packages_distributions()
    missing = {
        (module, name)
        for package in recipe.packages
        for module, name in imports(package)
        if name in homes and not name.startswith("headgate_") and not installed & {normal(home) for home in homes[name]}
    }
    assert missing == set()


def test_an_import_outside_of_the_groups_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger.py").write_text("def f():\n    import mlflow.xgboost\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(imports("stranger")) == [("stranger", "mlflow")]
    assert "mlflow" not in closure(frozenset({"operator"}))
    assert "mlflow" in closure(frozenset({"mlflow"}))


def test_what_an_image_runs_stays_in_the_packages_it_is_checked_for(recipe: Recipe) -> None:
    ours = {name for package in recipe.packages for _, name in imports(package) if name.startswith("headgate_")}
    assert ours <= {package.partition(".")[0] for package in recipe.packages}


def imports(package: str) -> Iterator[tuple[str, str]]:
    """(module, the first part of what it imports) for all of a package, wherever in a module the import is."""
    spec = find_spec(package)
    assert spec is not None
    folders = spec.submodule_search_locations
    paths = [path for folder in folders for path in Path(folder).rglob("*.py")] if folders else [Path(str(spec.origin))]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                yield path.stem, name.partition(".")[0]


def closure(groups: frozenset[str]) -> frozenset[str]:
    """Every distribution that the lock installs for these dependency groups, on whatever machine."""
    own = PACKAGES["headgate"]["dev-dependencies"]
    found: set[tuple[str, str]] = set()
    todo: list[Any] = [need for group in groups for need in own[group]]
    while todo:
        need = todo.pop()
        package = PACKAGES[need["name"]]
        for extra in ("", *need.get("extra", ())):
            if (need["name"], extra) not in found:
                found.add((need["name"], extra))
                todo += package.get("optional-dependencies", {}).get(extra, ()) if extra else package.get("dependencies", ())
    return frozenset(normal(name) for name, _ in found)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
