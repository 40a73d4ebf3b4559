"""The model card: everything that is known about a version, and what is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from headgate_components.deployment.model_card.logic import model_card
from headgate_components.deployment.model_card.sections import Words
from headgate_components.step import StepError

REGISTRATION = {
    "modelName": "flight-delay",
    "version": "3",
    "runId": "0a1b",
    "exportUri": "file:///models/flight-delay/3-abc",
    "dataset": {"name": "flights.parquet", "snapshot": "sha256:" + "a" * 64, "rows": 131_072},
    "trainingPeriod": {"start": "2013-01-01", "end": "2013-05-01"},
    "settings": {"trees": 200, "learning_rate": 0.05},
    "lineage": {"gitCommit": "c0ffee", "pipelineRun": "run-7", "modelDigest": "sha256:b", "featuresDigest": "", "referenceDigest": ""},
}
IMPORTANCE = {"features": [{"name": f"f{place}", "meanAbsoluteContribution": 1 / (place + 1), "share": 0.1} for place in range(20)]}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`run(words, **files)` returns the Markdown and the HTML."""

    def build(words: Words | None = None, **files: Any) -> tuple[str, str]:
        given = {"registration": REGISTRATION, "metrics": {"rocAuc": 0.77, "rows": 27_000.0}, **files}
        paths = {}
        for name, content in given.items():
            paths[name] = tmp_path / name
            paths[name].write_text(content if isinstance(content, str) else json.dumps(content))
        first, second = paths.pop("registration"), paths.pop("metrics")
        model_card(first, second, **paths, words=words or Words(), card=tmp_path / "card.md", page=tmp_path / "page.html")
        return (tmp_path / "card.md").read_text(), (tmp_path / "page.html").read_text()

    return build


def test_a_whole_card_says_who_what_from_where_and_how_good(run: Any) -> None:
    words = Words(owner="ops@example.com", intended_use="Warn passengers.", limits="New York only.\nNot for crew planning.")
    fairness = {"selectionRateDifference.carrier": 0.12}
    card, page = run(words, fairness=fairness, comparison={"rocAucDifference": 0.011}, importance=IMPORTANCE)
    for text in (card.replace("\\", ""), page):
        for expected in ("Model card: flight-delay version 3", "ops@example.com", "Warn passengers.", "Not for crew planning.", "131,072"):
            assert expected in text
        for expected in (
            "2013-01-01 to 2013-05-01",
            "27,000",
            "0.77",
            "selectionRateDifference.carrier",
            "0.011",
            "c0ffee",
            "run-7",
            "f14",
        ):
            assert expected in text
        assert "f15" not in text
    assert "The first 15 of 20 features" in card


def test_what_was_not_run_or_not_said_is_named(run: Any) -> None:
    card, page = run(comparison={})
    for text in (card, page):
        assert text.count("Not measured.") == 2
        assert text.count("Not said.") == 2
        assert "There was no champion to compare with." in text


def test_words_of_others_are_text_and_never_markup(run: Any) -> None:
    card, page = run(Words(owner="<script>alert(1)</script>", limits="a | b\n# not a heading"))
    assert "<script>" not in card + page
    assert "\n# not a heading" not in card
    rows = [line for line in card.splitlines() if line.startswith("| owner")]
    assert rows == [r"| owner | \<script\>alert(1)\</script\> |"]


@pytest.mark.parametrize(("name", "content"), [("registration", "[]"), ("metrics", "{"), ("importance", "nothing")])
def test_an_input_that_is_no_json_object_is_refused_by_name(run: Any, name: str, content: str) -> None:
    with pytest.raises(StepError, match=f"the {name} '.*{name}'"):
        run(**{name: content})
