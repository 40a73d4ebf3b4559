"""The process ends rather than write without a lease."""

import asyncio

import pytest

from headgate_operator.api.spec import Gateway
from headgate_operator.controller.lease import LeaseLostError
from headgate_operator.controller.process import Process
from headgate_operator.controller.settings import Settings


class Keeping:
    """A lease whose renewal ends with an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def keep(self) -> None:
        raise self.error


@pytest.mark.parametrize("error", [LeaseLostError("the lease x is now held by b"), RuntimeError("a bug")])
async def test_a_lease_that_is_not_renewed_any_more_ends_the_process_whatever_the_cause(caplog, error) -> None:
    codes: list[int] = []
    process = Process(Settings(gateway=Gateway(name="g", namespace="kserve"), domain="example.com"), end=codes.append)
    await process._keep(Keeping(error))
    assert codes == [1]
    assert "; ending" in caplog.text


async def test_a_part_that_does_not_close_holds_nobody_up_for_long(caplog, monkeypatch) -> None:
    monkeypatch.setattr("headgate_operator.controller.process._CLOSE_SECONDS", 0.05)
    process = Process(Settings(gateway=Gateway(name="g", namespace="kserve"), domain="example.com"))
    closed: list[str] = []

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def closes() -> None:
        closed.append("counters")

    monkeypatch.setattr(process._background.hooks, "close", hangs)
    monkeypatch.setattr(process._counters, "close", closes)
    async with asyncio.timeout(60):
        await process.stop()
    assert closed == ["counters"]
    assert "while stopping: TimeoutError" in caplog.text
