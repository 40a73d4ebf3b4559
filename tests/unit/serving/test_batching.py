import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from headgate_serving.server.batching import Answer, Batcher, Matrix


def rows(*values: float) -> Matrix:
    return np.array([[value] for value in values], dtype=np.float32)


class Model:
    """Answers ten times the value, and remembers how many rows came at once; waits where it is told to."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.called = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, matrix: Matrix) -> Answer:
        self.calls.append(len(matrix))
        self.called.set()
        assert self.go_on.wait(60)
        if (matrix < 0).any():
            raise ValueError("negative")
        return matrix[:, 0].astype(np.float64) * 10


async def test_those_who_ask_at_the_same_moment_share_a_call_and_get_their_own_rows() -> None:
    model = Model()
    batcher = Batcher(model, rows=256, delay=0)
    answers = await asyncio.gather(batcher.ask(rows(1)), batcher.ask(rows(2, 3)), batcher.ask(rows(4)))
    assert [answer.tolist() for answer in answers] == [[10], [20, 30], [40]]
    assert model.calls == [4]
    assert (await batcher.ask(rows(5))).tolist() == [50]
    assert model.calls == [4, 1]


async def test_a_full_batch_goes_at_once_and_a_delay_gathers_more() -> None:
    model = Model()
    batcher = Batcher(model, rows=2, delay=60)
    answers = await asyncio.gather(*(batcher.ask(rows(number)) for number in range(4)))
    assert [answer.tolist() for answer in answers] == [[0], [10], [20], [30]]
    assert model.calls == [2, 2]
    slow = Batcher(model, rows=10, delay=0.001)
    assert (await slow.ask(rows(1))).tolist() == [10]


async def test_what_the_model_raises_reaches_everyone_in_the_batch_and_the_next_one_works() -> None:
    batcher = Batcher(Model(), rows=256, delay=0)
    results = await asyncio.gather(batcher.ask(rows(1)), batcher.ask(rows(-1)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert (await batcher.ask(rows(1))).tolist() == [10]


async def test_during_a_call_of_the_worker_the_next_batch_gathers_and_who_gave_up_is_left_out() -> None:
    model = Model()
    model.go_on.clear()
    with ThreadPoolExecutor(1) as worker:
        batcher = Batcher(model, rows=256, delay=0, worker=worker)
        first = asyncio.ensure_future(batcher.ask(rows(1)))
        assert await asyncio.to_thread(model.called.wait, 60)
        late = [asyncio.ensure_future(batcher.ask(rows(number))) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late[0], 0.001)
        model.go_on.set()
        assert [(await answer).tolist() for answer in (first, *late[1:])] == [[10], [30], [40]]
    assert model.calls == [1, 2]
