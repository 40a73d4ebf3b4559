"""What this process has seen of its fleet, and its calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import (
    Candidate,
    Condition,
    ConditionStatus,
    ConditionType,
    ModelDeploymentStatus,
    Rendered,
    Stable,
)
from headgate_operator.controller.fleet import FleetRegister, FleetSettings
from headgate_operator.controller.freeze import parse_freeze_window

NOW = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # a Friday


def status(*, failing=False, candidate=True, **changes) -> ModelDeploymentStatus:
    stable = Stable(id="r1", model_uri="", version="", isvc="a-1", slot=0, since=NOW)
    trial = Candidate(
        id="r2", model_uri="", version="", isvc="a-2", inputs={}, started_at=NOW,
        rendered=Rendered(inference_service={}, serving_runtime={}), **changes,
    )  # fmt: skip
    available = Condition(
        type=ConditionType.ANALYSIS_AVAILABLE, status=ConditionStatus.FALSE, reason=Reason.PROVIDER_ERROR, observed_generation=1,
        last_transition_time=NOW,
    )  # fmt: skip
    return ModelDeploymentStatus(stable=stable, candidate=trial if candidate else None, conditions=[available] if failing else [])


def register(count, *, failing=0, **settings):
    fleet = FleetRegister(FleetSettings(**settings))
    for number in range(count):
        fleet.report(("ml", f"m{number}"), status(failing=number < failing), NOW)
    return fleet


def test_canaries_of_others_are_counted_and_ones_own_is_not():
    fleet = register(3, max_concurrent_rollouts=3)
    assert fleet.view(("ml", "m0"), NOW).others_under_way == 2
    assert fleet.view(("ml", "new"), NOW).others_under_way == 3
    assert fleet.view(("ml", "new"), NOW).limit == 3


def test_what_ended_is_gone_or_takes_over_without_a_canary_is_not_counted():
    fleet = register(3)
    fleet.report(("ml", "m0"), status(candidate=False), NOW)
    fleet.report(("ml", "m1"), status(known_good=True), NOW)
    fleet.forget(("ml", "m2"))
    assert fleet.view(("ml", "new"), NOW).others_under_way == 0


@pytest.mark.parametrize(("count", "failing", "is_open"), [(4, 3, True), (6, 3, False), (2, 2, False), (9, 9, True), (9, 0, False)])
def test_the_breaker_opens_when_most_canaries_cannot_read_their_metrics(count, failing, is_open):
    breaker = register(count, failing=failing).view(("ml", "m0"), NOW).breaker
    assert (breaker is not None) is is_open
    assert breaker is None or f"{failing} of {count}" in breaker


def test_the_breaker_closes_a_window_after_the_last_failure():
    fleet = register(4, failing=4, breaker_window=timedelta(minutes=5))
    for number in range(4):
        fleet.report(("ml", f"m{number}"), status(), NOW + timedelta(minutes=1))
    assert fleet.view(("ml", "m0"), NOW + timedelta(minutes=5)).breaker is not None
    assert fleet.view(("ml", "m0"), NOW + timedelta(minutes=6)).breaker is None


@pytest.mark.parametrize(
    ("window", "until"),
    [
        ("Fri-16:00/Mon-08:00", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("Fri-18:00/Mon-08:00", None),
        ("Mon-00:00/Fri-17:30", None),
        ("Thu-00:00/Fri-17:31", datetime(2026, 11, 20, 17, 31, tzinfo=UTC)),
        ("2026-11-20T17:30Z/2026-11-20T18:00Z", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        ("2026-11-20T17:30+01:00/2026-11-20T18:00+01:00", None),
    ],
)
def test_a_freeze_window_is_in_effect_from_its_begin_until_its_end(window, until):
    fleet = FleetRegister(FleetSettings(freeze_windows=(parse_freeze_window(window),)))
    assert fleet.view(("ml", "m"), NOW).freeze_until == until


def test_of_several_windows_the_last_to_end_counts():
    windows = tuple(map(parse_freeze_window, ("Fri-16:00/Fri-18:00", "Fri-17:00/Mon-08:00")))
    assert FleetRegister(FleetSettings(freeze_windows=windows)).view(("ml", "m"), NOW).freeze_until == datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "Fri-16:00", "Fri-16:00/Fri-16:00", "Fri-24:00/Mon-08:00", "2026-11-20T18:00/2026-11-21T18:00",
                                  "2026-11-21T18:00Z/2026-11-20T18:00Z", "Fri-16:00/2026-11-21T18:00Z"])  # fmt: skip
def test_anything_else_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match="Fri-16:00/Mon-08:00"):
        parse_freeze_window(text)
