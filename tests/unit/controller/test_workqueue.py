"""The work queue: one look at a time, the earliest wish wins, failures wait longer each time."""

import asyncio

import pytest

from headgate_operator.controller.workqueue import QueueClosedError, WorkQueue


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_key_added_often_is_handed_out_once(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for _ in range(5):
            queue.add("a")
        queue.add("b")
        assert queue.depth == 2
        assert [(await queue.get())[0], (await queue.get())[0]] == ["a", "b"]
        assert queue.depth == 0
        assert queue.busy == 2

    on_fake_time(run())


def test_a_key_in_hand_is_not_handed_out_twice_but_looked_at_again_afterwards(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add("a")
        queue.add("a")
        assert queue.depth == 0
        queue.done("a")
        assert (await queue.get())[0] == "a"
        queue.done("a")
        assert queue.depth == 0

    on_fake_time(run())


@pytest.mark.parametrize("delays", [(30, 5, 10), (5, 30, 10), (10, 30, 5)])
def test_of_several_delayed_wishes_the_earliest_wins(on_fake_time, delays) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        start = now()
        for delay in delays:
            queue.add_after("a", delay)
        await queue.get()
        assert now() - start == pytest.approx(5)
        queue.done("a")
        queue.add_after("later", 100)
        assert (await queue.get())[0] == "later", "the later wishes for a were dropped"

    on_fake_time(run())


def test_a_look_drops_what_was_planned_before_it_and_keeps_what_is_planned_during_it(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 50)
        queue.add("a")
        start = now()
        await queue.get()
        queue.add_after("a", 80)
        queue.done("a")
        await queue.get()
        assert now() - start == pytest.approx(80)

    on_fake_time(run())


def test_a_wish_that_comes_due_while_the_key_is_in_hand_makes_it_dirty(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add_after("a", 1)
        await asyncio.sleep(2)
        assert queue.depth == 0
        queue.done("a")
        assert queue.depth == 1

    on_fake_time(run())


def test_failures_wait_twice_as_long_each_time_up_to_the_cap_and_success_starts_over(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(backoff_base=1, backoff_cap=10)
        delays = []
        for _ in range(6):
            delays.append(queue.backoff("a"))
            await queue.get()
            queue.done("a")
        assert delays == [1, 2, 4, 8, 10, 10]
        queue.succeeded("a")
        assert queue.backoff("a") == 1

    on_fake_time(run())


def test_the_wait_is_measured_from_when_the_key_was_due(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 10)
        await asyncio.sleep(13)
        assert await queue.get() == ("a", pytest.approx(3))

    on_fake_time(run())


def test_a_forgotten_key_leaves_no_trace(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(backoff_base=1)
        queue.backoff("a")
        queue.forget("a")
        await asyncio.sleep(60)
        assert queue.depth == 0
        assert queue.backoff("a") == 1

    on_fake_time(run())


def test_closing_wakes_every_waiting_worker_and_takes_nothing_in(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.add_after("late", 5)
        queue.close()
        queue.add("a")
        results = await asyncio.gather(*workers, return_exceptions=True)
        assert [type(result) for result in results] == [QueueClosedError] * 3
        assert queue.depth == 0

    on_fake_time(run())


def test_a_closed_queue_does_not_hand_out_what_still_waits(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        queue.close()
        with pytest.raises(QueueClosedError):
            await queue.get()

    on_fake_time(run())


def test_every_key_is_worked_on_by_one_worker_at_a_time_under_a_storm_of_events(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[int] = WorkQueue()
        in_hand: set[int] = set()
        seen = dict.fromkeys(range(20), 0)

        async def work() -> None:
            while True:
                try:
                    key, _ = await queue.get()
                except QueueClosedError:
                    return
                assert key not in in_hand
                in_hand.add(key)
                await asyncio.sleep(0.3)
                seen[key] += 1
                in_hand.discard(key)
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(4)]
        for round_ in range(50):
            for key in range(20):
                queue.add(key)
            await asyncio.sleep(0.05 * (round_ % 3))
        await asyncio.sleep(60)
        queue.close()
        await asyncio.gather(*workers)
        assert all(2 <= times <= 6 for times in seen.values()), seen

    on_fake_time(run())


def test_whoever_has_written_is_looked_at_before_those_that_wait(on_fake_time) -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("wrote")
        await queue.get()
        for key in ("a", "b"):
            queue.add(key)
        queue.add("wrote")  # an event of its own write
        queue.add("wrote", first=True)
        queue.done("wrote")
        assert [(await queue.get())[0] for _ in range(3)] == ["wrote", "a", "b"]

    on_fake_time(run())
