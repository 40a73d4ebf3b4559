"""One cluster under traffic, one rollout after the other, up and down, with everything that must hold looked at on the way."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate_operator.api.status import Phase
from tests.scene import Scene
from tests.witness import Witness, at_rest, witnessed

QUICK = {
    "steps": [{"weight": weight, "minDuration": "1s", "minRequests": 10} for weight in (20, 50)],
    "watch": {"duration": "3s", "holdback": 10},
    "scaleDownDelay": "1s",
    "historyLimit": 2,
}


@dataclass
class Models:
    """Ever new versions of one good and one broken model: what was rolled out before would take over without a canary."""

    folder: Path
    good: Path
    bad: Path
    _count: int = 0

    def new(self, *, good: bool) -> Path:
        self._count += 1
        source = self.good if good else self.bad
        return Path(shutil.copytree(source, self.folder / f"{'good' if good else 'bad'}-{self._count}"))


@dataclass
class Play:
    """One cluster under traffic, one rollout after the other."""

    scene: Scene
    models: Models
    traffic: Any
    witness: Witness
    refused: dict[str, int] = field(default_factory=dict)
    """How often each refused revision had answered when it was gone."""
    promotions: int = 0
    gateway_fails: bool = False
    """The gateway itself is broken on purpose: not every request gets a good answer."""

    async def promotion(self) -> None:
        before = (await self.scene.status()).stable
        new = self.models.new(good=True)
        await self.scene.apply(new, rollout=QUICK)
        status = await self.scene.until(
            lambda s: s.stable and s.stable.version == new.name and s.phase is Phase.HEALTHY and not s.draining, f"{new.name} serves", 600
        )
        self.promotions += 1
        assert before is not None
        assert self.witness.stables[-2:] == [before.id, status.stable.id], "one promotion"
        self.never_again()

    async def rollback(self) -> None:
        before = (await self.scene.status()).stable
        new = self.models.new(good=False)
        await self.scene.apply(new, rollout=QUICK)
        status = await self.scene.until(
            lambda s: s.rejected and s.rejected[0].version == new.name and not s.draining and not s.candidate,
            f"{new.name} is refused",
            600,
        )
        assert (status.stable, status.phase) == (before, Phase.ROLLED_BACK)
        newest = status.rejected[0].id
        self.refused[newest] = self.traffic.of(newest)
        self.never_again()

    def never_again(self) -> None:
        answered = {revision: self.traffic.of(revision) for revision in self.refused}
        assert answered == self.refused, "a refused revision answered"


@asynccontextmanager
async def play(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any, *, rest: Callable[[Scene], Awaitable[None]] = at_rest
) -> AsyncIterator[Play]:
    """A first version serves; at the end all is at rest, which `rest` waits for."""
    first, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "9", unknown="error")
    good = make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first, rollout=QUICK)
    await scene.serving(first)
    async with witnessed(scene) as witness, scene.load(make_columns(500, seed=5), rate=30) as traffic:
        playing = Play(scene, Models(tmp_path / "s", good, broken), traffic, witness)
        yield playing
        await rest(scene)
        playing.never_again()
    assert len(witness.stables) == 1 + playing.promotions, witness.stables
    bad = {revision for revision, code in traffic.answers if code != 200} - playing.refused.keys()
    assert playing.gateway_fails or not bad, traffic.answers
