"""Objects as an earlier release stored them: this one changes no id, renders nothing again, and moves no weight.

The fixtures are never regenerated: they are what lies in clusters. A release that stores something new adds files of its own.
"""

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_operator.api.manifest import problems
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ModelDeploymentStatus, Rendered
from headgate_operator.api.stored import read_status
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.observed import Observed, Route, Service, Subject, Wanted
from headgate_operator.rollout.revision import revision_id, revision_inputs
from headgate_operator.rollout.weights import wanted_slots

STORED = Path(__file__).parents[2] / "fixtures" / "stored"
PHASES = ["pending", "healthy", "progressing", "holding", "paused", "suspended", "promoting", "watching", "rolledback", "stalled"]
IDS = {
    "s3://models/flight-delay/1": "r6f24cf94",
    "s3://models/flight-delay/2": "rda7105f8",
    "s3://models/flight-delay/bad": "r636d4637",
}
TODAY = Rendered(inference_service={"rendered": "by today's release"}, serving_runtime={})


def load(phase: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((STORED / f"{phase}.yaml").read_text())
    return loaded


def upgraded(obj: dict[str, Any]) -> tuple[Observed, Decision]:
    """What this release makes of a stored object whose children are all there and serve, but for a candidate that is suspended."""
    spec = ModelDeploymentSpec.model_validate(obj["spec"])
    status, damaged = read_status(obj["status"])
    inputs = revision_inputs(spec, uri=spec.model.uri)
    wanted = Wanted(id=revision_id(inputs), inputs=inputs, model_uri=spec.model.uri, version="x", isvc="new", rendered=TODAY)
    versions = [version for version in (status.stable, status.candidate, status.previous, *status.draining) if version is not None]
    suspended = status.candidate.isvc if status.candidate is not None and status.candidate.suspended_since is not None else None
    services = {
        version.isvc: Service(
            name=version.isvc, ours=True, min_replicas=2, available_replicas=0 if version.isvc == suspended else 2,
            isvc_ready=True, rolled_out=True,
        )
        for version in versions
    }  # fmt: skip
    route = None
    if status.stable is not None:
        rejected = tuple(entry.id for entry in status.rejected)
        route = Route(ours=True, accepted=True, slots=wanted_slots(status), stable_id=status.stable.id, rejected_ids=rejected)
    observed = Observed(
        now=max(condition.last_transition_time for condition in status.conditions) + timedelta(seconds=1),
        subject=Subject(name="flight-delay", namespace="ml", uid="u", generation=status.observed_generation or 1),
        spec=spec, status=status, wanted=wanted, services=services, route=route, damaged=damaged, url=status.url,
    )  # fmt: skip
    return observed, decide(observed)


def pinned(status: ModelDeploymentStatus) -> dict[str, Rendered]:
    known = {entry.isvc: entry.rendered for entry in status.history}
    return known | ({status.candidate.isvc: status.candidate.rendered} if status.candidate is not None else {})


def known(status: ModelDeploymentStatus) -> set[tuple[str, str]]:
    versions = (status.stable, status.candidate, status.previous)
    return {(version.id, version.isvc) for version in versions if version is not None}


@pytest.mark.parametrize("phase", PHASES)
def test_no_id_changes_nothing_is_rendered_again_and_no_weight_moves(phase: str) -> None:
    obj = load(phase)
    observed, decision = upgraded(obj)
    assert observed.damaged == frozenset()
    assert observed.wanted.id == IDS[obj["spec"]["model"]["uri"]]
    stored = pinned(observed.status)
    for service in decision.services:
        assert service.rendered.model_dump_json() == stored[service.isvc].model_dump_json()
    assert known(decision.status) == known(observed.status)
    if observed.route is not None:
        assert decision.route is not None
        assert decision.route.slots == observed.route.slots
    assert decision.delete == ()
    assert not [note for note in decision.notes if note.warning]


@pytest.mark.parametrize("phase", PHASES)
def test_a_manifest_that_was_accepted_is_accepted(phase: str) -> None:
    obj = load(phase)
    del obj["status"]
    assert problems(obj) == []


@pytest.mark.parametrize("phase", PHASES)
def test_what_is_stored_again_says_the_same(phase: str) -> None:
    """Writing a status without having changed it keeps every field: a release that renames one would lose it here."""
    stored = load(phase)["status"]
    status, _ = read_status(stored)
    again = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert _without(stored, again) == []


@pytest.mark.parametrize("phase", PHASES)
def test_fields_of_a_later_release_are_ignored(phase: str) -> None:
    obj = load(phase)
    _, expected = upgraded(deepcopy(obj))
    obj["status"]["mood"] = "splendid"
    obj["status"]["conditions"][0]["mood"] = "splendid"
    for role in ("stable", "candidate", "previous"):
        if role in obj["status"]:
            obj["status"][role]["mood"] = {"is": "splendid"}
    _, decision = upgraded(obj)
    assert decision == expected


@pytest.mark.parametrize("phase", ["progressing", "holding", "paused", "promoting", "watching", "stalled"])
def test_a_word_of_a_later_release_in_the_evidence_begins_it_anew_and_the_weights_stay(phase: str) -> None:
    obj = load(phase)
    obj["status"]["analysis"]["metrics"][0]["verdict"] = "Splendid"
    observed, decision = upgraded(obj)
    assert observed.damaged == {"analysis"}
    assert [note.reason for note in decision.notes if note.warning] == [Reason.STATUS_REPAIRED]
    assert decision.route is not None
    assert observed.route is not None
    assert decision.route.slots == observed.route.slots


SINCE_ADDED = {
    "progressing": ["candidate.paused", "candidate.atPause", "candidate.pausedSeconds", "candidate.promoteNow", "candidate.disturbed",
                    "candidate.knownGood", "analysis.split", "analysis.silentRequests"],
    "watching": ["previous.frozenMin", "analysis.split"],
    "rolledback": ["stable.frozenMin"],
}  # fmt: skip


@pytest.mark.parametrize("phase", SINCE_ADDED)
def test_a_status_without_the_fields_that_were_added_since_is_read_whole(phase: str) -> None:
    obj = load(phase)
    for path in SINCE_ADDED[phase]:
        parent, _, field = path.partition(".")
        obj["status"][parent].pop(field, None)
    observed, decision = upgraded(obj)
    assert observed.damaged == frozenset()
    if observed.route is not None:
        assert decision.route is not None
        assert decision.route.slots == observed.route.slots


@pytest.mark.parametrize("phase", ["progressing", "watching"])
def test_evidence_in_the_shape_of_the_first_releases_is_dropped_with_a_word_and_no_weight_moves(phase: str) -> None:
    """They kept a list of mixtures, and the streak of failures as a number."""
    obj = load(phase)
    for metric in obj["status"]["analysis"]["metrics"]:
        mixture = metric.pop("mixture", {"since": "2026-03-01T12:00:00Z", "logWealth": [0.0] * 7})
        metric |= {"mixtures": [{"since": mixture["since"], "logWealth": mixture["logWealth"]}], "failStreak": 0}
    observed, decision = upgraded(obj)
    assert observed.damaged == {"analysis"}
    assert decision.route is not None
    assert observed.route is not None
    assert decision.route.slots == observed.route.slots
    assert any(note.reason is Reason.STATUS_REPAIRED for note in decision.notes)


def _without(one: Any, other: Any, path: str = "status") -> list[str]:
    """Return what `one` says and `other` does not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [hit for key, value in one.items() for hit in _without(value, other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [hit for index, value in enumerate(one) for hit in _without(value, other[index], f"{path}[{index}]")]
    return [] if one == other else [path]
