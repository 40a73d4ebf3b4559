"""`headgate audit`: each change once, and what is no line of the log is left out."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from headgate_operator.cli.main import main


def line(id_: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_, "format": 1, "time": "2026-03-01T12:00:00Z", "kind": "Decided", "number": 1, "actor": "headgate", "command": None,
        "object": {"namespace": "ml", "name": "flight-delay", "uid": "u", "generation": 1}, "reason": "StepStarted", "message": "why",
        "weights": {"before": {"r1": 100}, "after": {"r1": 80, "r2": 20}}, "mirrors": {"before": {}, "after": {}},
        **fields,
    }  # fmt: skip


def log(*lines: Any) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)


def test_each_change_is_shown_once_with_what_every_version_had_and_has(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    abort = line("b" * 16, actor="headgate-cli", command="abort@r2", reason="Aborted")
    path.write_text(log(line("a" * 16), line("a" * 16, repeated=True), "no json", '{"level": "info"}', "[]", abort))
    shown = CliRunner().invoke(main, ["audit", str(path)], catch_exceptions=False).output
    assert shown.count("StepStarted") == 1
    assert "r1 100→80, r2 0→20" in shown
    assert "headgate-cli: abort@r2" in shown


def test_standard_input_is_filtered_and_printed_as_it_is() -> None:
    other = line("b" * 16, object={"namespace": "ml", "name": "fraud", "uid": "v", "generation": 1})
    text = log(line("a" * 16), other, line("c" * 16, kind="Carried"))
    result = CliRunner().invoke(main, ["audit", "-", "--name", "flight-delay", "--decided", "-o", "json"], input=text)
    assert [json.loads(row)["id"] for row in result.output.splitlines()] == ["a" * 16]


def test_a_file_that_is_not_there_is_one_sentence_and_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["audit", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert result.output == f"headgate: error: the audit log {tmp_path}/absent cannot be read: No such file or directory\n"


def test_a_file_without_such_a_change_is_told_rather_than_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("kind: ModelDeployment\n")
    result = CliRunner().invoke(main, ["audit", str(path)])
    assert result.output == f"no such change of traffic in {path}: is it what the operator writes with --audit-log?\n"
