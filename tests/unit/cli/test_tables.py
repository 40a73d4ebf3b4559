"""Tables in narrow terminals: nothing that somebody has to type is cut off."""

import pytest
from click.testing import CliRunner
from rich.console import Console

from headgate_operator.cli import evidence
from headgate_operator.cli.main import main
from headgate_operator.cli.tables import plain_table


def test_what_does_not_fit_goes_on_in_the_next_line() -> None:
    table = plain_table("revision", "version", "reason")
    table.add_row("r41ca72c8", "2026-11-21", "WaitingForFirstRevision")
    screen = Console(width=24)
    with screen.capture() as shown:
        screen.print(table)
    assert "…" not in shown.get()
    folded = "".join(shown.get().split())
    assert sorted(folded) == sorted("revisionversionreason" + "r41ca72c8" + "2026-11-21" + "WaitingForFirstRevision")


@pytest.mark.parametrize(("width", "factors"), [(80, False), (160, True)])
def test_the_factors_of_every_odds_ratio_are_shown_where_there_is_room(monkeypatch: pytest.MonkeyPatch, width: int, factors: bool) -> None:
    monkeypatch.setattr(evidence, "console", lambda: Console(width=width))
    shown = CliRunner().invoke(main, ["evidence", "10/1", "90/0"]).output
    header, row = shown.splitlines()[:2]
    assert ("ψ=2" in header) is factors
    assert row.split()[:3] == ["1", "10/1", "90/0"]
    assert row.split()[-1] == "Undecided"
