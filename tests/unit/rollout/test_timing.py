"""When steps begin and polls fall: neither may cost evidence, however long a pass takes."""

from datetime import timedelta

import pytest

PASS = timedelta(milliseconds=60)


def slow_run(world, until):
    """Run with passes that take their time, as on a real API server."""
    for _ in range(2_000):
        if until(world):
            return
        world.pass_and_wait()
        world.pass_time(PASS)
    raise AssertionError(world.status)


@pytest.mark.parametrize("fraction", [0, 300, 600, 900])
def test_a_step_never_counts_as_begun_before_the_route_carried_it(serving, fraction):
    serving.pass_time(timedelta(milliseconds=fraction))
    second = serving.apply(2)
    slow_run(serving, lambda world: world.weights.get(second) == 10)
    carried_at = serving.now
    slow_run(serving, lambda world: world.status.candidate.step_started_at is not None)
    assert carried_at - PASS <= serving.status.candidate.step_started_at <= serving.now + timedelta(seconds=1)
    slow_run(serving, lambda world: world.weights.get(second) == 25)
    assert serving.now - carried_at >= timedelta(seconds=15) - PASS


def test_a_tiny_interval_does_not_make_the_operator_spin(serving):
    second = serving.apply(2, analysis={"interval": "1ms"})
    serving.run(lambda world: world.weights.get(second) == 10 and world.status.analysis is not None)
    waits = [wait for _ in range(50) if (wait := serving.pass_and_wait())]
    assert sum(waits, timedelta(0)) >= len(waits) * timedelta(milliseconds=100)


def test_the_end_of_a_step_does_not_cut_off_its_last_block(serving):
    second, ends = serving.apply(2, analysis={"interval": "15s"}), set()

    def at_the_second_step(world):
        if world.status.analysis is not None and world.weights.get(second) == 10:
            ends.add(world.status.analysis.last_block_end)
        return world.weights.get(second) == 25

    slow_run(serving, at_the_second_step)
    assert len(ends - {None}) == 5, "a block every three seconds of fifteen"


def test_a_clock_that_was_set_back_does_not_make_the_operator_look_every_second(serving):
    serving.apply(2)
    serving.startup = timedelta(hours=9)
    serving.run_for(30)
    serving.now -= timedelta(hours=2)
    assert serving.pass_and_wait() == timedelta(seconds=15)
