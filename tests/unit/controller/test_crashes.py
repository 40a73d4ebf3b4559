"""Whole rollouts in which no write ever returns: the process dies before or after every single one, and starts again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headgate_operator.controller.act import Actor
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.observe import Observer
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES
from headgate_operator.controller.settings import Settings
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

KEY = ("ml", "flight-delay")
WRITES = frozenset({"apply", "replace_status", "patch", "delete", "create", "replace"})
SPEC = {
    "rollout": {
        "steps": [{"weight": 20, "minDuration": "10s", "minRequests": 10}, {"weight": 50, "minDuration": "10s", "minRequests": 10}],
        "watch": {"duration": "20s", "holdback": 10},
        "scaleDownDelay": "10s",
    },
    "serving": {"requestTimeout": "2s"},
    "analysis": {"interval": "5s", "metrics": [{"name": "errors", "preset": "gateway-errors", "maximum": "5%"}]},
}


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the operator may catch it."""


class Deadly:
    """An API whose odd writes of a kind kill the caller before, whose even ones kill it after they were done."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.deaths: dict[tuple[str, str], int] = {}
        self.armed = True

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._api, verb)

        async def call(resource: Any, *args: Any, **options: Any) -> Any:
            if verb not in WRITES or not self.armed:
                return await method(resource, *args, **options)
            deaths = self.deaths[verb, resource.kind] = self.deaths.get((verb, resource.kind), 0) + 1
            if deaths % 2 == 0:
                await method(resource, *args, **options)
            raise Killed

        return call


class Drama:
    """A rollout under traffic, told in steps of five seconds, with an operator that dies all the time or never."""

    def __init__(self, world: Any, api: Any, *, failing: dict[str, float] | None = None) -> None:
        self.world = world
        self.api = api
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.failing = failing or {}
        self.counts: dict[int, list[float]] = {0: [0.0, 0.0], 1: [0.0, 0.0]}
        self.served: dict[str, float] = {}
        self.refused_then_served = 0.0

    async def play(self, until: Any, acts: int = 60) -> None:
        for _ in range(acts):
            self.now += timedelta(seconds=5)
            await self._traffic()
            await self._operator()
            await self.world.kserve()
            if await self.world.admin.get(HTTP_ROUTES, *KEY) is not None:
                await self.world.gateway()
            if until(await self.world.status()):
                return
        status = (await self.world.status()).model_dump(mode="json", exclude={"history": True, "candidate": {"rendered"}})
        raise AssertionError(f"never happened in {acts} acts: {status}")

    async def _operator(self) -> None:
        """Live and die until a whole look passes without writing anything."""
        for _ in range(80):
            observer = Observer(
                self.api,
                Settings(gateway=self.world.observer._settings.gateway, domain="example.com"),
                counters=self,  # type: ignore[arg-type]
                question=self.world.observer._question,
                monitoring=Monitoring(None),
                hooks=self.world.observer._hooks,
                claims=self.world.observer.claims,
                clock=lambda: self.now,
            )
            try:
                snapshot = await observer.observe(KEY)
                assert snapshot is not None
                if not await Actor(self.api, Notes(self.api)).act(snapshot, decide(snapshot.observed)):
                    return
            except Killed:
                continue
        raise AssertionError(f"the operator never comes to rest: {self.api.deaths}")

    async def read(self, *_: Any) -> Reading:
        slots = tuple(SlotCounters(slot=slot, counters={"rq_2xx": good, "rq_5xx": bad}) for slot, (good, bad) in self.counts.items())
        return Reading(scrapes=(Scrape(proxy="p", at=self.now, slots=slots),), flush=timedelta(seconds=1))

    async def _traffic(self) -> None:
        """200 requests go where the accepted route sends them."""
        route = await self.world.admin.get(HTTP_ROUTES, *KEY)
        if route is None:
            return
        status = await self.world.status()
        refused = {entry.id for entry in status.rejected}
        backends = route["spec"]["rules"][0]["backendRefs"]
        assert sum(backend["weight"] for backend in backends) == 100
        for slot, backend in enumerate(backends):
            revision = backend["filters"][0]["requestHeaderModifier"]["set"][0]["value"]
            requests = 2.0 * backend["weight"]
            bad = round(requests * self.failing.get(revision, 0.0))
            self.counts[slot][0] += requests - bad
            self.counts[slot][1] += bad
            self.served[revision] = self.served.get(revision, 0.0) + requests
            if revision in refused:
                self.refused_then_served += requests


@pytest.mark.parametrize("deadly", [False, True], ids=["nobody dies", "no write ever returns"])
async def test_a_good_version_is_promoted_once_and_the_old_one_goes(world, deadly) -> None:
    api = Deadly(world.admin)
    api.armed = deadly
    drama = Drama(world, api)
    await world.manifest(**SPEC)
    await drama.play(lambda status: status.stable is not None and status.phase == "Healthy")
    old = (await world.status()).stable.id
    await world.manifest(uri="s3://models/flight-delay/2", **SPEC)
    await drama.play(lambda status: status.phase == "Healthy" and status.stable.id != old and not status.draining)
    status = await world.status()
    assert [entry.id for entry in status.history] == [status.stable.id, old]
    assert status.rejected == []
    assert await world.weights() == {f"{status.stable.isvc}-predictor": 100}
    assert [one["metadata"]["name"] for one in await world.admin.list(INFERENCE_SERVICES, "ml")] == [status.stable.isvc]
    if deadly:
        assert api.deaths["replace_status", "ModelDeployment"] > 10
        assert {kind for _, kind in api.deaths} >= {"InferenceService", "ServingRuntime", "HTTPRoute"}


@pytest.mark.parametrize("deadly", [False, True], ids=["nobody dies", "no write ever returns"])
async def test_a_bad_version_is_refused_and_never_gets_a_request_again(world, deadly) -> None:
    api = Deadly(world.admin)
    api.armed = deadly
    await world.manifest(**SPEC)
    drama = Drama(world, api)
    await drama.play(lambda status: status.stable is not None and status.phase == "Healthy")
    stable = (await world.status()).stable
    await world.manifest(uri="s3://models/flight-delay/bad", **SPEC)
    await drama.play(lambda status: status.candidate is not None)
    bad = (await world.status()).candidate.id
    drama.failing = {bad: 0.4}
    await drama.play(lambda status: bool(status.rejected))
    for _ in range(15):
        await drama.play(lambda _: True)
    status = await world.status()
    assert [(entry.id, entry.reason) for entry in status.rejected] == [(bad, "ErrorsWorse")]
    assert status.stable.id == stable.id
    assert drama.served[bad] > 0
    assert drama.refused_then_served == 0
    assert [one["metadata"]["name"] for one in await world.admin.list(INFERENCE_SERVICES, "ml")] == [stable.isvc]
