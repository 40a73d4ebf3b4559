"""The command itself: help, plug-ins, exit codes."""

import json
from importlib.metadata import EntryPoint

import click
import pytest
import yaml

from headgate_operator.cli import main as main_module


@click.command()
def greet() -> None:
    """Say hello."""
    click.echo("hello")


NOT_A_COMMAND = "not a command"
OWN = [
    "lint", "plan", "status", "watch", "report", "history", "lineage", "promote", "pause", "resume", "abort", "retry", "rollback",
    "evidence", "crd",
]  # fmt: skip


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch):
    """Install plug-ins by the object they name."""

    def install(**values: str) -> None:
        points = {name: EntryPoint(name, value, main_module.PLUG_INS) for name, value in values.items()}
        monkeypatch.setattr(main_module, "_plug_ins", lambda: points)

    return install


def test_help_names_every_subcommand_and_the_exit_codes(headgate) -> None:
    result = headgate("--help")
    assert result.exit_code == 0
    for name in (*OWN, "demo", "dev", "pipeline"):
        assert f"\n  {name} " in result.stdout
    assert "3 timed out" in result.stdout


@pytest.mark.parametrize("name", OWN)
def test_every_subcommand_explains_itself(headgate, name) -> None:
    result = headgate(name, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 4


@pytest.mark.parametrize("args", [[], ["nope"], ["lint"], ["crd", "-o", "xml"], ["status", "x", "--revision", "r1"]])
def test_wrong_usage_ends_with_2(headgate, args) -> None:
    result = headgate(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_a_plug_in_is_a_subcommand(headgate, plug_ins) -> None:
    plug_ins(greet="json.decoder:JSONDecoder", hello=f"{__name__}:greet")
    assert "hello" in headgate("--help").stdout


def test_a_plug_in_that_cannot_be_imported_gets_one_line_and_does_not_hide_the_rest(headgate, plug_ins) -> None:
    plug_ins(broken="no_such_package.command:broken", odd="json:dumps")
    assert headgate("--help").exit_code == 0
    result = headgate("broken")
    assert result.exit_code == 1
    assert result.stderr == (
        "headgate: error: the subcommand 'broken' cannot be loaded from no_such_package.command:broken: "
        "ModuleNotFoundError: No module named 'no_such_package'\n"
    )
    assert "it is no click command" in headgate("odd").stderr


def test_crd_prints_what_is_committed(headgate) -> None:
    result = headgate("crd")
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["metadata"]["name"] == "modeldeployments.headgate.dev"
    assert json.loads(headgate("crd", "-o", "json").stdout) == yaml.safe_load(result.stdout)
