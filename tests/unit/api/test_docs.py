"""The pages for people keep up with the code."""

import re
from pathlib import Path

from headgate_operator.api.reasons import Reason
from headgate_operator.api.reference import reference_markdown

DOCS = Path(__file__).parents[3] / "docs"


def sections() -> dict[str, str]:
    about_reasons = (DOCS / "runbook.md").read_text().partition("\n# Alerts\n")[0]
    parts = re.split(r"^## (\S+)$", about_reasons, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_reference_is_the_generated_one():
    assert (DOCS / "reference.md").read_text() == reference_markdown(), (
        "run: python -c 'from headgate_operator.api.reference import *; print(reference_markdown(), end=\"\")' > docs/reference.md"
    )


def test_the_runbook_has_one_section_for_every_reason_and_no_other():
    assert sorted(sections()) == sorted(reason.value for reason in Reason)


def test_every_section_says_what_it_means_what_headgate_does_and_what_a_person_does():
    for reason, text in sections().items():
        for part in ("**Meaning.** ", "**Headgate.** ", "**You.** "):
            assert text.count(part) == 1, f"{reason}: {part}"


def test_every_reason_has_an_explanation_of_one_sentence():
    for reason in Reason:
        assert re.fullmatch(r"[A-Z][^\n]*\.", reason.explanation), reason
        assert re.fullmatch(r"[A-Z][A-Za-z]+", reason.value), reason
