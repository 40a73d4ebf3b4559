"""An operator whose clock was ahead leaves times in the future behind. Its successor goes on at once."""

from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

A_DAY = timedelta(days=1)


def a_step_is_about_to_begin(world):
    candidate = world.status.candidate
    return candidate is not None and candidate.weight == 25 and candidate.step_started_at is None


def the_watch_is_about_to_begin(world):
    return world.status.previous is not None and world.status.watch_until is None


def a_version_is_about_to_leave(world):
    return any(version.left_route_at is None for version in world.status.draining)


@pytest.mark.parametrize("moment", [a_step_is_about_to_begin, the_watch_is_about_to_begin, a_version_is_about_to_leave])
def test_what_began_under_a_clock_a_day_ahead_ends_when_it_would_have_ended(serving, moment):
    second = serving.apply(2)
    usual = finished(serving, second, moment)
    third = serving.apply(3)
    assert finished(serving, third, moment, clock_is_ahead=A_DAY) <= usual + timedelta(minutes=1)


def finished(world, revision, moment, *, clock_is_ahead=timedelta()):
    """Return how long the rollout takes from that moment on, if an operator with such a clock carries out the next two passes."""
    world.run(moment)
    world.now += clock_is_ahead
    world.step()
    world.step()
    world.now -= clock_is_ahead
    begun = world.now
    world.run()
    assert world.phase is Phase.HEALTHY
    assert world.weights == {revision: 100}
    return world.now - begun


def test_clocks_that_differ_by_seconds_rewrite_nothing(serving):
    serving.apply(2)
    serving.run(a_step_is_about_to_begin)
    serving.now += timedelta(seconds=20)
    serving.step()
    began = serving.status.candidate.step_started_at
    serving.now -= timedelta(seconds=20)
    serving.step()
    assert serving.status.candidate.step_started_at == began


def under_a_clock_ahead(world):
    world.now += A_DAY
    world.step()
    world.step()
    world.now -= A_DAY


def test_a_candidate_that_began_under_a_clock_a_day_ahead_has_no_day_more_to_become_ready(serving):
    serving.startup = timedelta(days=2)
    serving.apply(2)
    under_a_clock_ahead(serving)
    serving.run_for(1_860)
    assert serving.condition("Stalled") == Reason.CANDIDATE_NOT_READY


def test_a_pause_that_began_under_a_clock_a_day_ahead_takes_no_time_from_the_rollout(make_world):
    world = make_world(rollout={"maxDuration": "4m30s", "watch": {"duration": "60s"}})
    world.run()
    second = world.apply(2)
    world.run(a_step_is_about_to_begin)
    world.command = f"pause@{second}"
    under_a_clock_ahead(world)
    world.run_for(180)
    world.command = f"resume@{second}"
    world.run()
    assert world.weights == {second: 100}
