"""Every command and every manifest in the documentation is run or, where a test has not what it needs, read with care.

Blocks marked `run` are run by tests/integration/test_documented_commands.py.
"""

import ast
import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from headgate_operator.cli.main import main
from tests.docblocks import ALL, PAGES, ROOT, Block, blocks, marked
from tests.doccommands import commands, complaint
from tests.overlays import KUBECTL, NEEDS_KUBECTL, kustomized

_INLINE = re.compile(r"(?<!`)`((?:headgate|make|kubectl|python -m) [^`\n]+)`")
_HEAD = """
apiVersion: headgate.dev/v1alpha1
kind: ModelDeployment
metadata: {name: flight-delay, namespace: ml}
spec:
  model: {uri: s3://models/flight-delay/7, format: {name: xgboost, version: "3"}, runtime: headgate-xgboost}
"""
_OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [headgate/manifests/overlays/ha]
"""


def each(*marks: str, language: str | None = None) -> pytest.MarkDecorator:
    chosen = [block for block in marked(*marks) if language in (None, block.language)]
    return pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in chosen])


def test_every_block_says_how_it_is_tested() -> None:
    assert len(ALL) > 50
    assert [block.problem for block in ALL if block.problem] == []


@pytest.mark.parametrize(
    "text", ["```sh\nls\n```", "<!-- lint -->\n```sh\nls\n```", "<!-- run -->\n\n```sh\nls\n```", "```\nls\n```", "```hcl\n```"]
)
def test_a_block_that_does_not_is_found(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Say:\n\n{text}\n")
    (block,) = blocks(page)
    assert Block(ROOT / "docs/page.md", block.line, block.language, block.mark, block.text).problem


@pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in ALL if block.language == "sh"])
def test_every_script_is_one_that_a_shell_can_read(block: Block) -> None:
    read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, timeout=300, check=False)
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in ALL if block.language == "sh" and block.mark != "run"])
def test_every_command_of_ours_that_is_not_run_has_the_options_that_it_is_given(block: Block) -> None:
    assert [said for command in commands(block.text) if (said := complaint(command))] == []


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_command_in_a_sentence_exists(page: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    said = {text: complaint(command) for text in _INLINE.findall(prose) for command in commands(text)}
    assert {text: problem for text, problem in said.items() if problem} == {}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("headgate lint --loud x.yaml", "No such option '--loud'"),
        ("cat x | headgate lnit -", "no command lnit"),
        ("kubectl headgate status NAME --wiat", "No such option '--wiat'"),
        ("make demo  # shows it\nmake dmeo", "no target dmeo"),
        ("kubectl apply --server-side -k manifests/overlays/nowhere", "no kustomization"),
        ("python -m headgate_operator.controler", "no such module"),
        ("python -m headgate_operator.controller --shards 3", "No such option '--shards'"),
        ("tests/e2e/05-magic.sh", "there is no tests/e2e/05-magic.sh"),
        ("TOKEN=$(headgate dev status --fodler x)", "No such option '--fodler'"),
    ],
)
def test_a_command_that_does_not_exist_is_found(script: str, problem: str) -> None:
    (said,) = [said for command in commands(script) if (said := complaint(command))]
    assert problem in said


@each("lint", "lint: spec")
def test_every_manifest_is_accepted_and_says_what_it_will_do(block: Block) -> None:
    text = _HEAD + block.text.removeprefix("spec:\n") if block.mark == "lint: spec" else block.text
    done = CliRunner().invoke(main, ["lint", "-"], input=text)
    assert done.exit_code == 0, done.output
    assert "ModelDeployment" in text


@each("kustomize", "kustomize: part")
@pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
def test_every_kustomization_beside_a_checkout_named_headgate_builds(block: Block, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "manifests", tmp_path / "headgate/manifests")
    (tmp_path / "kustomization.yaml").write_text(_OVERLAY + block.text if block.mark == "kustomize: part" else block.text)
    assert kustomized(tmp_path)


def values(block: Block) -> list[Any]:
    return [json.loads(block.text)] if block.language == "json" else list(yaml.safe_load_all(block.text))


@pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in ALL if block.language in {"json", "yaml"}])
def test_all_data_can_be_read(block: Block) -> None:
    assert all(value is not None for value in values(block))


def imported(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@each("run", "parse", language="python")
def test_every_piece_of_python_imports_what_exists(block: Block) -> None:
    for module, name in imported(ast.parse(block.text)):
        found = importlib.import_module(module)
        assert name is None or hasattr(found, name), f"{module} has no {name}"
