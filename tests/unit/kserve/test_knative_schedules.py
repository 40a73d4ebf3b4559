"""Any schedule of decisions, writes, late starts and late answers of KServe: no refused or unready revision ever gains traffic."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_devcluster.kserve import revisions
from headgate_devcluster.kserve.revisions import Revision
from headgate_operator.kserve.knative import KnativeState
from headgate_operator.kserve.knative_write import Wish, next_step

ACTIONS = ("decide up", "decide down", "decide other", "write", "write", "kserve", "kserve", "ready")


@dataclass
class World:
    """KServe by the stand-in's own rules, and an engine that decides as `decide` does: up only on what was read back."""

    template: str = ""
    percent: int = 0
    made: list[Revision] = field(default_factory=list)
    part: dict[str, str] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    asked: int = -1
    stable: str | None = None
    candidate: str | None = "v1"
    weight: int = 0
    count: int = 1
    refused: set[str] = field(default_factory=set)

    def state(self) -> KnativeState | None:
        if not self.template:
            return None
        ready = self.part.get("latestReadyRevision", "")
        return KnativeState(
            template=self.template,
            percent=self.percent,
            created=self.part.get("latestCreatedRevision", ""),
            ready=ready,
            rolled_out=self.part.get("latestRolledoutRevision", ""),
            rolled_out_before=self.part.get("previousRolledoutRevision", ""),
            shares=self.shares,
            tagged=ready,
            routed=self.asked == self.percent and bool(self.shares),
            ids={found.name: found.template for found in self.made},
        )

    @property
    def wanted(self) -> dict[str, int]:
        if self.stable is None:
            return {}
        shares = {self.stable: 100 - self.weight} | ({self.candidate: self.weight} if self.candidate else {})
        return {revision: share for revision, share in shares.items() if share}

    def settled(self) -> bool:
        seen = self.state()
        return seen is not None and seen.routed and seen.weights() == (self.wanted or seen.weights())

    def do(self, action: str) -> None:
        seen = self.state()
        match action:
            case "decide up" if self.candidate is None and self.settled():
                self.count += 1
                self.candidate, self.weight = f"v{self.count}", 0
            case "decide up" if self.candidate is not None and seen is not None and seen.settled(self.candidate) and self.settled():
                if self.stable is None or self.weight:
                    self.stable, self.candidate, self.weight = self.candidate, None, 0
                else:
                    self.weight = 10
            case "decide down" if self.candidate is not None and self.stable is not None:
                self.refused.add(self.candidate)
                self.candidate, self.weight = None, 0
            case "decide other" if self.candidate is None and self.settled() and len(self.made) > 1 and self.stable is not None:
                known = [found.template for found in self.made if found.template not in {self.stable, *self.refused}]
                self.candidate, self.weight = (known[0] if known else None), 0
            case "write":
                step = next_step(seen, Wish(stable=self.stable, candidate=self.candidate, weights=self.wanted))
                self.template, self.percent = step.template or self.template, step.percent
            case "kserve" if self.template:
                self.sync()
            case "ready":
                self.made = [Revision(found.name, found.number, found.template, ready=True) for found in self.made]

    def sync(self) -> None:
        if not self.made or self.made[-1].template != self.template:
            number = len(self.made) + 1
            self.made.append(Revision(f"m-{number}", number, self.template))
        ready = revisions.latest_ready(self.made, self.part.get("latestReadyRevision", ""))
        targets = revisions.targets(self.percent, self.part.get("latestRolledoutRevision", ""), tagged=False)
        split = revisions.traffic(targets, ready, {"prev": ""})
        self.part = {
            "latestCreatedRevision": self.made[-1].name,
            "latestReadyRevision": ready,
        } | revisions.rolled_out(self.part, split, ready, self.made[-1].name)
        self.shares, self.asked = {}, self.percent
        for entry in split:
            self.shares[entry["revisionName"]] = self.shares.get(entry["revisionName"], 0) + entry["percent"]

    def refused_share(self) -> int:
        ids = {found.name: found.template for found in self.made}
        return sum(share for name, share in self.shares.items() if ids[name] in self.refused)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=80))
def test_no_refused_revision_gains_traffic_and_what_was_decided_is_reached(schedule: list[str]) -> None:
    world = World()
    for action in schedule:
        before, refused = world.refused_share(), set(world.refused)
        world.do(action)
        if refused == world.refused:
            assert world.refused_share() <= before, (action, world)
        unready = {found.name for found in world.made if not found.ready}
        assert not any(share for name, share in world.shares.items() if name in unready)
    for _ in range(8):
        for action in ("write", "kserve", "ready"):
            world.do(action)
    assert world.refused_share() == 0
    assert world.stable is None or world.settled(), world
