"""Leadership: one at a time, given up by exiting, handed over at once on release."""

import asyncio
from copy import deepcopy

import pytest

from headgate_operator.controller.lease import Lease, LeaseLostError
from headgate_operator.kube.protocol import ConflictError, UnavailableError


class LeaseServer:
    """One Lease with optimistic locking, as an API server keeps it; can be cut off."""

    def __init__(self) -> None:
        self.lease: dict | None = None
        self.version = 0
        self.down = False
        self.lose_answers = False

    async def get(self, resource, namespace, name):
        self._reachable()
        return deepcopy(self.lease)

    async def create(self, resource, obj):
        self._reachable()
        if self.lease is not None:
            raise ConflictError("exists", 409)
        return self._store(obj)

    async def replace(self, resource, obj):
        self._reachable()
        if self.lease is None or obj["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise ConflictError("changed", 409)
        return self._store(obj)

    def _store(self, obj):
        self.version += 1
        self.lease = deepcopy(obj)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        if self.lose_answers:
            raise UnavailableError("cut")
        return deepcopy(self.lease)

    def _reachable(self) -> None:
        if self.down:
            raise UnavailableError("down")


def lease(server: LeaseServer, identity: str) -> Lease:
    return Lease(server, namespace="headgate-system", name="headgate-operator", identity=identity)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_first_one_leads_and_the_second_waits_until_the_first_has_been_silent_for_15_seconds(on_fake_time) -> None:
    async def run() -> float:
        server = LeaseServer()
        await lease(server, "a").acquire()
        start = now()
        await lease(server, "b").acquire()
        assert server.lease["spec"]["holderIdentity"] == "b"
        assert server.lease["spec"]["leaseTransitions"] == 1
        return now() - start

    assert 15 <= on_fake_time(run()) <= 18


def test_a_renewed_lease_is_never_taken(on_fake_time) -> None:
    async def run() -> None:
        server = LeaseServer()
        first = lease(server, "a")
        await first.acquire()
        keeper = asyncio.create_task(first.keep())
        second = asyncio.create_task(lease(server, "b").acquire())
        await asyncio.sleep(600)
        assert not second.done()
        assert server.lease["spec"]["holderIdentity"] == "a"
        keeper.cancel()
        second.cancel()

    on_fake_time(run())


def test_a_released_lease_is_taken_at_the_next_try(on_fake_time) -> None:
    async def run() -> float:
        server = LeaseServer()
        first, second = lease(server, "a"), lease(server, "b")
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(5)
        await first.release()
        assert not first.held
        start = now()
        await waiting
        return now() - start

    assert on_fake_time(run()) <= 2


def test_a_leader_that_cannot_renew_for_ten_seconds_gives_up_before_anyone_else_may_lead(on_fake_time) -> None:
    async def run() -> float:
        server = LeaseServer()
        first = lease(server, "a")
        await first.acquire()
        start = now()
        server.down = True
        with pytest.raises(LeaseLostError, match="was not renewed for 10 s"):
            await first.keep()
        return now() - start

    assert 10 <= on_fake_time(run()) < 15


def test_a_short_outage_is_survived(on_fake_time) -> None:
    async def run() -> None:
        server = LeaseServer()
        first = lease(server, "a")
        await first.acquire()
        keeper = asyncio.create_task(first.keep())
        for _ in range(5):
            server.down = True
            await asyncio.sleep(7)
            server.down = False
            await asyncio.sleep(5)
        assert not keeper.done()
        keeper.cancel()

    on_fake_time(run())


def test_a_leader_whose_lease_was_taken_stops_at_the_next_renewal(on_fake_time) -> None:
    async def run() -> None:
        server = LeaseServer()
        first = lease(server, "a")
        await first.acquire()
        server.lease["spec"]["holderIdentity"] = "b"
        server._store(server.lease)
        with pytest.raises(LeaseLostError, match="now held by b"):
            await first.keep()
        assert not first.held

    on_fake_time(run())


def test_a_renewal_whose_answer_was_lost_is_no_loss(on_fake_time) -> None:
    async def run() -> None:
        server = LeaseServer()
        first = lease(server, "a")
        await first.acquire()
        keeper = asyncio.create_task(first.keep())
        server.lose_answers = True
        await asyncio.sleep(3)
        server.lose_answers = False
        await asyncio.sleep(60)
        assert not keeper.done()
        keeper.cancel()

    on_fake_time(run())


def test_an_api_server_that_is_down_at_the_start_is_waited_for(on_fake_time) -> None:
    async def run() -> None:
        server = LeaseServer()
        server.down = True
        waiting = asyncio.create_task(lease(server, "a").acquire())
        await asyncio.sleep(30)
        server.down = False
        await waiting
        assert server.lease["spec"]["holderIdentity"] == "a"

    on_fake_time(run())
