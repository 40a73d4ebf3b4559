"""Errands that are given up and started again: the one that ends late takes nothing away from its successor."""

import asyncio
from typing import Any

from headgate_operator.controller.errands import Errands
from tests.waiting import eventually


async def test_the_same_errand_begun_again_before_the_one_given_up_has_ended_is_under_way_once() -> None:
    begun: list[str] = []
    given_up: list[asyncio.Task[Any] | None] = []
    may_end, may_answer = asyncio.Event(), asyncio.Event()

    async def takes_leave_slowly() -> str:
        begun.append("first")
        given_up.append(asyncio.current_task())
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
        return "never"

    async def second() -> str:
        begun.append("second")
        await may_answer.wait()
        return "answer"

    errands: Errands[str, str, str] = Errands(limit=9, wake=lambda _: None)
    errands.start("key", "about", takes_leave_slowly)
    await eventually(lambda: begun == ["first"])
    errands.forget("key")
    errands.start("key", "about", second)
    await eventually(lambda: begun == ["first", "second"])
    may_end.set()
    await asyncio.wait([task for task in given_up if task is not None])
    errands.start("key", "about", second)
    await asyncio.sleep(0)
    assert begun == ["first", "second"]
    may_answer.set()
    await eventually(lambda: errands.results("key") == {"about": "answer"})
    await errands.close()
