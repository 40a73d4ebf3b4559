"""Whole rollouts under traffic, told in steps of five seconds, with an operator that dies at every call it makes, or never.

Every look is begun again and again: it dies before its first call, after it, before its second call, and so on, until one look gets
through. After one that wrote, whether it lived or died of it, the count begins anew.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from headgate_operator.controller.act import Actor
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.observe import Observer
from headgate_operator.controller.resources import HTTP_ROUTES, MODEL_DEPLOYMENTS
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.writes import Written
from headgate_operator.kserve.children import SCALING
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters
from headgate_operator.rollout.settled import settled

KEY = ("ml", "flight-delay")
WRITES = frozenset({"apply", "replace_status", "patch", "delete", "create", "replace"})
SPEC = {
    "rollout": {
        "steps": [{"weight": 20, "minDuration": "10s", "minRequests": 10}, {"weight": 50, "minDuration": "10s", "minRequests": 10}],
        "watch": {"duration": "60s", "holdback": 10},
        "scaleDownDelay": "10s",
    },
    "serving": {"requestTimeout": "2s"},
    "analysis": {"interval": "5s", "metrics": [{"name": "errors", "preset": "gateway-errors", "maximum": "5%"}]},
}
_LIVES = 2_000
"""More lives than this between two steps, and the operator never comes to rest."""


class KilledError(BaseException):
    """The process is gone. Not an Exception: nothing in the operator may catch it."""


@dataclass
class Life:
    """The API as one process sees it, which dies before or after its n-th call; everything later of the same process dies too."""

    api: Any
    witness: "Witness"
    dies_at: int | None
    """Twice the number of the call, plus one if it dies after it; None: never."""
    calls: int = 0
    dead: bool = False
    died_of_write: bool = False
    """It died after a write, which was carried out."""

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self.api, verb)

        async def call(resource: Any, *args: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            self._die(self.dies_at == 2 * number, verb, resource.kind, "before")
            result = await method(resource, *args, **options)
            if verb in WRITES:
                await self.witness.saw(verb, resource, args)
            self.died_of_write = self.dies_at == 2 * number + 1 and verb in WRITES
            self._die(self.dies_at == 2 * number + 1, verb, resource.kind, "after")
            return result

        return call

    def _die(self, now: bool, verb: str, kind: str, when: str) -> None:
        if now and not self.dead:
            self.witness.deaths[when, verb, kind] += 1
        self.dead = self.dead or now
        if self.dead:
            raise KilledError


@dataclass
class Witness:
    """Looks at every write the moment it is done."""

    world: Any
    stables: list[str] = field(default_factory=list)
    """Every stable revision on record, in order."""
    deaths: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _pinned: dict[str, Any] = field(default_factory=dict)

    async def saw(self, verb: str, resource: Any, args: tuple[Any, ...]) -> None:
        if resource is HTTP_ROUTES and verb == "apply":
            await self._route(args[0])
        elif resource is MODEL_DEPLOYMENTS and verb == "replace_status":
            self._status(args[0]["status"])
        elif resource.kind == "InferenceService" and verb == "apply":
            await self._service(args[0])

    async def _route(self, route: Any) -> None:
        """Weights sum to 100, and what was refused gets none."""
        backends = route["spec"]["rules"][0]["backendRefs"]
        assert sum(backend["weight"] for backend in backends) == 100
        refused = {entry.id for entry in (await self.world.status()).rejected}
        weighted = {revision_of(backend) for backend in backends if backend["weight"]}
        assert not refused & weighted, "a refused revision gets traffic"

    def _status(self, status: Any) -> None:
        stable = status.get("stable", {}).get("id")
        if stable is not None and self.stables[-1:] != [stable]:
            self.stables.append(stable)

    async def _service(self, service: Any) -> None:
        """The pods of a version are never restarted, and stable keeps the size that was frozen."""
        name, predictor = service["metadata"]["name"], service["spec"]["predictor"]
        unscaled = {key: value for key, value in predictor.items() if key not in SCALING}
        assert self._pinned.setdefault(name, unscaled) == unscaled, "its pods would be restarted"
        stable = (await self.world.status()).stable
        if stable is not None and stable.isvc == name:
            assert predictor["minReplicas"] >= (stable.frozen_min or 0), "stable would shrink"


class Drama:
    """One ModelDeployment, the requests of its clients, and the lives of its operator."""

    def __init__(self, world: Any, *, deadly: bool) -> None:
        self.world, self.deadly = world, deadly
        self.witness = Witness(world)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.failing: dict[str, float] = {}
        """The share of a revision's answers that are errors."""
        self.served: Counter[str] = Counter()
        self.refused_then_served = 0.0
        self.on_record: Callable[[Any, Any], None] = lambda _snapshot, _decision: None
        """Called as the operator's own process is, once a decision is stored."""
        self._settled = False
        """Whether the last look said that no other one is needed at once."""
        self._counts: dict[int, list[float]] = {0: [0.0, 0.0], 1: [0.0, 0.0]}

    async def play(self, until: Any, acts: int = 60) -> Any:
        """Let five seconds pass, again and again, until the status is as wanted; return it."""
        for _ in range(acts):
            await self.act()
            status = await self.world.status()
            if until(status):
                return status
        brief = status.model_dump(mode="json", exclude={"history": True, "candidate": {"rendered"}})
        raise AssertionError(f"never happened in {acts} acts: {brief}")

    async def act(self) -> None:
        """Five seconds."""
        self.now += timedelta(seconds=5)
        await self._traffic()
        await self._operator()
        await self.world.kserve()
        if await self.world.admin.get(HTTP_ROUTES, *KEY) is not None:
            await self.world.gateway()

    async def command(self, words: str) -> None:
        """Annotate, as `headgate` does."""
        await self.world.admin.patch(MODEL_DEPLOYMENTS, *KEY, {"metadata": {"annotations": {"headgate.dev/command": words}}})

    async def read(self, *_: Any) -> Reading:
        """The gateway's counters."""
        slots = tuple(SlotCounters(slot=slot, counters={"rq_2xx": good, "rq_5xx": bad}) for slot, (good, bad) in self._counts.items())
        return Reading(scrapes=(Scrape(proxy="p", at=self.now, slots=slots),), flush=timedelta(seconds=1))

    async def _operator(self) -> None:
        """Live and die until a whole look passes without writing anything."""
        dies_at, self._settled = 0, False
        for _ in range(_LIVES):
            life = Life(self.world.admin, self.witness, dies_at if self.deadly else None)
            try:
                if not await self._look(life):
                    return
                dies_at = 0
            except KilledError:
                dies_at = 0 if life.died_of_write else dies_at + 1
        raise AssertionError(f"the operator never comes to rest: {self.witness.deaths}")

    async def _look(self, life: Life) -> bool:
        world = self.world
        observer = Observer(
            life,  # type: ignore[arg-type]
            Settings(gateway=world.observer._settings.gateway, domain="example.com"),
            counters=self,  # type: ignore[arg-type]
            parity=world.observer._parity_check,
            monitoring=Monitoring(None),
            background=world.observer._background,
            claims=world.observer.claims,
            inventory=Inventory(),
            clock=lambda: self.now,
        )
        actor = Actor(life, Notes(life), Echoes())  # type: ignore[arg-type]
        snapshot = await observer.observe(KEY)
        assert snapshot is not None
        if await actor.adopt(snapshot):
            return True
        decision = decide(snapshot.observed)
        written = await actor.act(snapshot, decision, on_record=lambda: self.on_record(snapshot, decision))
        assert not (written and self._settled), "a look that was settled left something to do"
        self._settled = Written.MORE not in written and settled(snapshot.observed, decision) is not None
        return bool(written)

    async def _traffic(self) -> None:
        """200 requests go where the accepted route sends them."""
        route = await self.world.admin.get(HTTP_ROUTES, *KEY)
        if route is None:
            return
        refused = {entry.id for entry in (await self.world.status()).rejected}
        for slot, backend in enumerate(route["spec"]["rules"][0]["backendRefs"]):
            revision, requests = revision_of(backend), 2.0 * backend["weight"]
            bad = round(requests * self.failing.get(revision, 0.0))
            self._counts[slot][0] += requests - bad
            self._counts[slot][1] += bad
            self.served[revision] += int(requests)
            if revision in refused:
                self.refused_then_served += requests


def revision_of(backend: Any) -> str:
    """The revision that a backend of a route stamps."""
    return str(backend["filters"][0]["requestHeaderModifier"]["set"][0]["value"])
