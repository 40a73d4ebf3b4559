import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headgate_devcluster.demo.outcome import Ending, RolloutOutcome, Summary, Verdict, verdict
from headgate_devcluster.demo.recorder import Recorder
from headgate_devcluster.demo.report import write_report
from headgate_operator.api.status import ModelDeploymentStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).isoformat()


def pinned(revision: str, version: str, slot: int = 0) -> dict[str, object]:
    return {"id": revision, "modelUri": f"file:///m/{version}", "version": version, "isvc": f"m-{revision}", "slot": slot, "since": NOW}


def outcome(version: int, ending: Ending) -> RolloutOutcome:
    return RolloutOutcome(version, f"r000000{version}", ending, "ErrorsWorse", "8 of 98 <failed>", 98, 8, 27.04, 0.0)


def recorded() -> Recorder:
    recorder = Recorder()
    analysis = {
        "candidate": "r0000002",
        "candidateSlot": 1,
        "stableSlot": 0,
        "weight": 10,
        "metrics": [{"name": "errors", "evidence": 2.0, "bound": 5.3, "promotionEvidence": 0.5, "promotionBound": 3.0}],
    }
    traffic = [{"id": "r0000001", "weight": 90}, {"id": "r0000002", "weight": 10}]
    status = {"stable": pinned("r0000001", "1-abc"), "traffic": traffic, "analysis": analysis}
    recorder.saw_status({"status": status})
    for second in range(30):
        recorder.tally.answered("r0000001", 200, 0.01)
        recorder.tally.answered("r0000002", 500 if second % 5 == 0 else 200, 0.01)
        recorder.sample()
    return recorder


def test_the_summary_has_exactly_the_promised_fields() -> None:
    summary = Summary(
        rollouts=[outcome(3, Ending.ROLLED_BACK)], requests=500, metrics={"rocAuc": 0.77, "prAuc": 0.63}, seconds={"rollout": 1.26}
    )
    written = json.loads(json.dumps(summary.to_json()))
    assert written["rollouts"][0] == {
        "version": 3,
        "revision": "r0000003",
        "outcome": "RolledBack",
        "reason": "ErrorsWorse",
        "message": "8 of 98 <failed>",
        "candidateRequests": 98,
        "candidateBad": 8,
        "seconds": 27.0,
    }
    assert written["errorsFromOtherCauses"] == 0
    assert written["seconds"] == {"rollout": 1.3}


@pytest.mark.parametrize(
    ("endings", "other_errors", "expected"),
    [
        ([Ending.PROMOTED, Ending.ROLLED_BACK, Ending.REJECTED], 0, True),
        ([Ending.PROMOTED, Ending.ROLLED_BACK, Ending.REJECTED], 1, False),
        ([Ending.PROMOTED, Ending.PROMOTED, Ending.REJECTED], 0, False),
        ([Ending.PROMOTED, Ending.ROLLED_BACK], 0, False),
    ],
)
def test_a_demo_ends_as_expected_only_if_every_rollout_and_every_answer_did(
    endings: list[Ending], other_errors: int, expected: bool
) -> None:
    summary = Summary(rollouts=[outcome(number, ending) for number, ending in enumerate(endings, 2)], errors_from_other_causes=other_errors)
    assert summary.as_expected is expected


def test_a_verdict_is_about_the_version_with_that_uri() -> None:
    rejected = {"id": "r3", "modelUri": "file:///m/3", "version": "3", "reason": "ErrorsWorse", "message": "why", "at": NOW}
    status = ModelDeploymentStatus.model_validate({"stable": pinned("r2", "2"), "rejected": [rejected]})
    assert verdict(status, "file:///m/2") == Verdict("r2", promoted=True, reason="Promoted", message="")
    assert verdict(status, "file:///m/3") == Verdict("r3", promoted=False, reason="ErrorsWorse", message="why")
    assert verdict(status, "file:///m/4") is None


def test_an_event_is_told_once_and_again_when_its_count_rises() -> None:
    recorder = Recorder()
    event = {"metadata": {"name": "e1"}, "reason": "Promoted", "note": "v2", "type": "Normal"}
    assert recorder.saw_event(event) is not None
    assert recorder.saw_event(event) is None
    assert recorder.saw_event({**event, "series": {"count": 2}}) is not None


def test_the_report_is_one_self_contained_page(tmp_path: Path) -> None:
    summary = Summary(rollouts=[outcome(2, Ending.ROLLED_BACK)], requests=60)
    write_report(tmp_path / "report.html", recorded(), summary)
    page = (tmp_path / "report.html").read_text()
    assert len(re.findall(r"<figcaption[^>]*>Weight ", page)) == 2, "the whole demo, and the one rollout"
    assert "version 1" in page
    assert "8 of 98 &lt;failed&gt;" in page, "text from outside is escaped"
    loaded = re.findall(r"""(?:src|href)=["'](?!#)[^"']*["']|url\((?!#)[^)]*\)""", page)
    assert [link for link in loaded if "http" in link or "//" in link] == [], "nothing is loaded from elsewhere"


def test_a_version_that_no_client_reached_is_told_in_words(tmp_path: Path) -> None:
    refused = RolloutOutcome(4, "r0000004", Ending.REJECTED, "ParityMismatch", "20 of 20 rows differ", 0, 0, 2.0, 1.0)
    write_report(tmp_path / "report.html", recorded(), Summary(rollouts=[refused], requests=60))
    page = (tmp_path / "report.html").read_text()
    assert len(re.findall(r"<figcaption[^>]*>Weight ", page)) == 1, "the whole demo is drawn, the version is not"
    assert "No client ever reached it" in page
    assert page.count("20 of 20 rows differ") == 2, "in the table and in its section"


def test_the_evidence_that_refused_a_version_is_drawn_although_its_comparison_is_over() -> None:
    recorder = recorded()
    evidence = {"metric": "errors", "verdict": "Worse", "evidence": 5.64, "bound": 5.3}
    refused = {"id": "r0000002", "reason": "ErrorsWorse", "message": "worse", "at": NOW, "evidence": evidence}
    recorder.saw_status({"status": {"stable": pinned("r0000001", "1-abc"), "rejected": [refused]}})
    recorder.sample()
    recorder.sample()
    assert recorder.samples[-2].trial == "r0000002"
    assert recorder.samples[-2].evidence["errors"].rollback == 5.64
    assert recorder.samples[-1].evidence == {}, "it is told once"
