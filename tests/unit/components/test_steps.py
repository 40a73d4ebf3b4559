"""How steps fail, what runs them, and that their READMEs tell the truth."""

import re
from pathlib import Path

import pytest
import yaml

from headgate_components import image
from headgate_components.evaluation.gate.logic import gate
from headgate_components.readme import component_folders, load_component, readme
from headgate_components.step import StepError, step

FOLDERS = list(component_folders())
NAMES = [folder.name for folder in FOLDERS]


def test_a_known_failure_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, step("ingest"):
        raise StepError("the data file 'x.csv' does not exist")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "headgate: error: ingest: the data file 'x.csv' does not exist\n"


def test_a_full_disk_is_one_line_with_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), step("split"):
        raise OSError(28, "No space left on device", "/data/train")
    assert capsys.readouterr().err == "headgate: error: split: No space left on device '/data/train'\n"


def test_a_failure_nobody_foresaw_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), step("split"):
        _ = 1 / 0


def test_the_gate_passes_without_problems_and_names_all_of_them_otherwise() -> None:
    gate("the data", ["", "\n"], verdict="promote", reason="better")
    with pytest.raises(StepError, match="the model did not pass: ROC AUC is low; PR AUC is low"):
        gate("the model", ["ROC AUC is low\nPR AUC is low"])
    with pytest.raises(StepError, match="the model did not pass: 'load' drifted; the champion is better"):
        gate("the model", ["", "'load' drifted"], verdict="keep", reason="the champion is better")


def test_the_image_is_one_that_the_local_runner_takes_and_names_the_code() -> None:
    assert re.fullmatch(r"ghcr\.io/headgate/headgate-python:\d+\.\d+\.\d+-[0-9a-f]{12}", image.BASE_IMAGE)


def test_the_source_hash_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_component_code"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "logic.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(image, "PACKAGES", ("some_component_code",))
    before = image.source_hash()
    assert image.source_hash() == before
    (package / "logic.py").write_text("x = 2")
    assert image.source_hash() != before


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_readme_says_what_code_and_metadata_say(folder: Path) -> None:
    assert (folder / "README.md").read_text() == readme(folder), "run `python -m headgate_components.readme`"


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_every_input_and_output_is_described(folder: Path) -> None:
    rows = re.findall(r"^\| (\w+) \|.*\|\s*([^|]*) \|$", readme(folder), re.MULTILINE)
    assert rows
    assert all(meaning.strip() for _, meaning in rows)


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_metadata_are_complete(folder: Path) -> None:
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    assert metadata["name"] == folder.name
    assert metadata["stability"] in {"experimental", "alpha", "beta", "stable"}
    assert set(metadata) == {"name", "stability", "dependencies", "tags", "lastVerified"}


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_a_component_runs_in_our_image_and_installs_nothing(folder: Path) -> None:
    container = load_component(folder).component_spec.implementation.container
    assert container.image == image.BASE_IMAGE
    assert not any("pip install" in part for part in (*container.command, *container.args))
