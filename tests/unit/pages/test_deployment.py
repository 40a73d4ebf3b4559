"""What a page says of one object."""

import re

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Owner
from headgate_operator.api.status import Phase
from headgate_operator.pages import document
from headgate_operator.pages.deployment import Shown, explanation, highest_evidence, phase_tone, split
from headgate_operator.pages.sample import sample_of
from tests.webview import CANDIDATE, REFUSED, STABLE, at_rest, canary, condition


def shown(status: object = None, **more: object) -> Shown:
    return Shown(namespace="ml", name="m", status=status or canary(), steps=3, **more)  # type: ignore[arg-type]


def test_every_phase_has_a_tone_and_every_reason_its_meaning() -> None:
    assert {phase_tone(phase) for phase in Phase} == {"good", "bad", "wait", "moves"}
    assert all(explanation(reason) for reason in Reason)
    assert explanation("OfAnotherRelease") == ""


def test_a_person_who_is_needed_is_told_before_what_moves_and_what_rests() -> None:
    conditions = [condition(kind, "True", f"Why{kind}") for kind in ("Ready", "Reconciling", "Stalled", "InputDrift")]
    found = shown(at_rest(conditions=conditions)).reason
    assert found is not None
    assert found.reason == "WhyStalled"
    assert shown(at_rest(conditions=[])).reason is None


def test_a_version_has_the_colour_of_its_part_and_those_that_are_gone_another() -> None:
    labels = shown().labels
    assert (labels.look(STABLE), labels.look(CANDIDATE)) == (0, 1)
    assert labels.look(REFUSED) not in (0, 1)
    assert labels.name(STABLE) == f"6 ({STABLE})"


def test_traffic_and_evidence_are_bars_with_words() -> None:
    assert split(canary()).label == "stable 75 %, candidate 25 %"
    assert split(at_rest(traffic=[])).label == "no traffic"
    assert split(at_rest(traffic=[{"id": "r0", "weight": 100}])).parts == (("other", 100),)
    found = highest_evidence(canary(evidence=2.65))
    assert found is not None
    assert (found[0], found[1].part, found[1].label) == ("errors", 0.5, "2.6 of 5.3")
    assert highest_evidence(at_rest()) is None


def test_a_runbook_is_a_link_only_where_a_browser_may_go() -> None:
    for address, link in (("https://x.example/y", True), ("javascript:alert(1)", False), ("http://", False), ("http://[", False)):
        owner = Owner.model_construct(team=None, contact=None, runbook=address)
        assert (shown(owner=owner).runbook == address) is link
    assert shown().runbook is None


def test_a_report_of_an_object_that_has_nothing_yet_says_so() -> None:
    text = document.report(shown(at_rest(stable=None, history=[], traffic=[], conditions=[])), "2026-11-21 03:00:00")
    for words in ("No version is there yet.", "Nothing was recorded yet.", "Nothing was promoted yet.", "kubectl events"):
        assert words in text


def test_a_report_draws_its_samples_and_has_no_id_twice() -> None:
    samples = [sample_of(canary(requests=look * 10, evidence=look), 60.0 * look) for look in range(5)]
    text = document.report(shown(samples=samples), "2026-11-21 03:00:00")
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(set(ids)) == len(ids) > 7
    assert text.count('role="img"') == 7
