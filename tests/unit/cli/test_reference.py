"""docs/cli.md says what `--help` says."""

from pathlib import Path

from headgate_operator.cli.main import main
from headgate_operator.cli.reference import cli_markdown

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == cli_markdown(), "run: python -m headgate_operator.cli.reference > docs/cli.md"


def test_every_command_has_a_section_and_the_readme_leads_there() -> None:
    page = cli_markdown()
    for name in main.list_commands(main.make_context("headgate", ["lint"], resilient_parsing=True)):
        assert f"\n## headgate {name}\n" in page
    assert "(docs/cli.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
