"""When `status --wait` ends, and with what."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headgate_operator.api.status import Candidate, Condition, ModelDeploymentStatus, Previous, Rejected, Rendered, Stable
from headgate_operator.cli.errors import Exit
from headgate_operator.cli.outcome import outcome, waits_for

AT = datetime(2026, 11, 21, tzinfo=UTC)
RENDERED = Rendered(inference_service={}, serving_runtime={})


def pinned(id_: str) -> dict[str, Any]:
    return {"id": id_, "model_uri": f"s3://m/{id_}", "version": id_.removeprefix("r"), "isvc": f"x-{id_}", "slot": 0}


def stable(id_: str) -> Stable:
    return Stable(**pinned(id_), since=AT)


def candidate(id_: str) -> Candidate:
    return Candidate(**pinned(id_), inputs={}, rendered=RENDERED, started_at=AT)


def previous(id_: str) -> Previous:
    return Previous(**pinned(id_), since=AT)


def rejected(id_: str, reason: str = "ErrorsWorse") -> Rejected:
    return Rejected(id=id_, version="3", reason=reason, message="8 of 60 failed", at=AT)


def condition(type_: str, reason: str = "R", message: str = "why") -> Condition:
    return Condition(type=type_, status="True", reason=reason, message=message, observed_generation=2, last_transition_time=AT)


def status(**fields: Any) -> ModelDeploymentStatus:
    return ModelDeploymentStatus(**{"observed_generation": 2, "conditions": [condition("Ready")]} | fields)


def ask(seen: bool = False, revision: str | None = None, **fields: Any):
    return outcome(status(**fields), 2, revision=revision, seen_as_candidate=seen)


@pytest.mark.parametrize(
    "fields",
    [
        {"observed_generation": 1, "stable": stable("r1")},
        {"observed_generation": None},
        {"stable": None},
        {"stable": stable("r1"), "candidate": candidate("r2")},
        {"stable": stable("r2"), "previous": previous("r1")},
        {"stable": stable("r1"), "conditions": [condition("Ready"), condition("Reconciling")]},
        {"stable": stable("r1"), "conditions": []},
        {"stable": stable("r1"), "candidate": candidate("r2"), "phase": "Suspended"},
        {"stable": stable("r1"), "candidate": candidate("r2"), "phase": "Paused"},
        {"stable": stable("r1"), "phase": "Paused", "conditions": [condition("Ready"), condition("Reconciling", "Paused")]},
    ],
    ids=[
        "old manifest seen",
        "nothing seen",
        "nothing serves",
        "on trial",
        "under watch",
        "about to start",
        "not ready",
        "suspended",
        "paused",
        "paused before its start",
    ],
)
def test_it_goes_on(fields) -> None:
    assert ask(**fields) is None


@pytest.mark.parametrize("phase", ["Suspended", "Paused"])
def test_a_revision_that_is_paused_or_suspended_is_waited_for(phase) -> None:
    assert ask(revision="r2", stable=stable("r1"), candidate=candidate("r2"), phase=phase) is None


def test_what_it_waits_for_is_told_in_the_operators_words() -> None:
    waiting = [condition("Ready"), condition("Reconciling", "PauseStep", "promote@r2 lets it go on")]
    assert waits_for(status(conditions=waiting)) == "PauseStep, promote@r2 lets it go on"
    assert waits_for(status()) is None


def test_a_stable_revision_that_was_rolled_back_by_a_person_ends_it_with_1() -> None:
    ended = ask(revision="r3", stable=stable("r1"), rejected=[rejected("r3", "RolledBack")])
    assert ended.exit_code is Exit.FAILED


def test_it_is_over_when_the_stable_version_serves_alone() -> None:
    ended = ask(stable=stable("r2"))
    assert (ended.exit_code, ended.sentence) == (Exit.OK, "revision r2 (version 2) serves all traffic")


def test_a_person_who_is_needed_ends_it_with_1() -> None:
    ended = ask(stable=stable("r1"), conditions=[condition("Ready"), condition("Stalled", "CandidateRejected", "r3 was refused")])
    assert (ended.exit_code, ended.sentence) == (Exit.FAILED, "a person is needed, CandidateRejected: r3 was refused")


def test_a_refused_revision_ends_it_with_1_even_before_the_latest_manifest_was_seen() -> None:
    ended = ask(revision="r3", observed_generation=1, stable=stable("r1"), rejected=[rejected("r3")])
    assert ended.exit_code is Exit.FAILED
    assert ended.sentence == "revision r3 (version 3) was refused, ErrorsWorse: 8 of 60 failed"


def test_a_revision_that_is_retried_is_not_over() -> None:
    assert ask(revision="r3", stable=stable("r1"), candidate=candidate("r3"), rejected=[rejected("r3")]) is None


def test_a_promoted_revision_is_over_when_its_watch_is() -> None:
    assert ask(revision="r2", stable=stable("r2"), previous=previous("r1")) is None
    assert ask(revision="r2", stable=stable("r2")).exit_code is Exit.OK


def test_a_candidate_that_needs_a_person_ends_it_with_1() -> None:
    stalled = [condition("Ready"), condition("Stalled", "HoldTimeout", "on hold for 1h")]
    ended = ask(revision="r2", stable=stable("r1"), candidate=candidate("r2"), conditions=stalled)
    assert (ended.exit_code, ended.sentence) == (Exit.FAILED, "a person is needed, HoldTimeout: on hold for 1h")


def test_a_superseded_revision_ends_it_with_1_but_one_that_has_not_come_yet_is_waited_for() -> None:
    assert ask(revision="r2", stable=stable("r1"), candidate=candidate("r3")) is None
    ended = ask(seen=True, revision="r2", stable=stable("r1"), candidate=candidate("r3"))
    assert (ended.exit_code, ended.sentence) == (Exit.FAILED, "revision r2 was withdrawn: the manifest asks for another one")
