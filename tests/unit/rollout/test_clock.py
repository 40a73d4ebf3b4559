"""An operator whose clock was ahead leaves times in the future behind. Its successor goes on at once."""

from datetime import timedelta

import pytest

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
