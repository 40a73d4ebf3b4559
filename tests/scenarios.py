"""Whole rollouts as a client, a person and the API server see them: the same on a real API server with stand-ins around it
(tests/contract), and on a real cluster (tests/e2e).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scene import Scene
from tests.waiting import eventually

SUBJECT = ("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
ROUTES = ("gateway.networking.k8s.io/v1", "httproutes", "ml")
RUNTIMES = ("serving.kserve.io/v1alpha1", "servingruntimes", "ml")
SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
CHILDREN = (SERVICES, RUNTIMES, ROUTES, ("apps/v1", "deployments", "ml"), ("v1", "services", "ml"), ("v1", "pods", "ml"))


@dataclass(frozen=True)
class Exports:
    """Versions of one model in a folder."""

    make: Any
    folder: Path

    def good(self, number: int) -> Path:
        """A version that answers well, and not as the others do."""
        return Path(self.make(self.folder, str(number), seed=number))

    def broken(self, number: int) -> Path:
        """A version that fails on 30 % of the rows."""
        return Path(self.make(self.folder, str(number), unknown="error"))


async def promoted_then_rolled_back(scene: Scene, exports: Exports, make_columns: Any, *, rollout: dict[str, Any]) -> None:
    """Under traffic a good version takes over and a broken one is refused; no client sees an error that is not the broken one's own."""
    first, second, broken = exports.good(1), exports.good(2), exports.broken(3)
    await scene.apply(first, rollout=rollout)
    await scene.serving(first)
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=rollout)
        status = await scene.serving(second)
        assert status.stable is not None
        new = status.stable.id
        await scene.until(lambda s: not s.draining, "the old version is gone")
        assert traffic.bad() == 0, traffic.answers
        await scene.apply(broken, rollout=rollout)
        status = await scene.until(lambda s: s.rejected and not s.draining, "the broken version is gone")
        refused = status.rejected[0].id
    assert traffic.bad() == traffic.bad(refused), traffic.answers
    assert [(entry.id, entry.weight) for entry in status.traffic] == [(new, 100)]
    assert len(await scene.cluster.api.list(*SERVICES)) == 1
    assert {"FirstRevision", "CandidateStarted", "Promoted", "WatchEnded", "ErrorsWorse"} <= await scene.events()


async def superseded_then_aborted(
    scene: Scene, exports: Exports, *, rollout: dict[str, Any], on_trial: Callable[[Scene], Awaitable[None]] | None = None
) -> None:
    """A version on trial makes place for a newer one, which a person aborts; with the object everything else goes.

    `on_trial` is what is done while the newer one has traffic.
    """
    first, second, third = (exports.good(number) for number in (1, 2, 3))
    await scene.apply(first, rollout=rollout)
    await scene.serving(first)
    await scene.apply(second, rollout=rollout)
    status = await scene.until(lambda s: s.candidate and s.candidate.weight, "the second version is on trial")
    assert status.candidate is not None
    superseded = status.candidate.id
    await scene.apply(third, rollout=rollout)
    status = await scene.until(lambda s: s.candidate and s.candidate.version == third.name and s.candidate.weight, "the third takes over")
    assert status.candidate is not None
    assert status.candidate.id != superseded
    if on_trial:
        await on_trial(scene)
    aborted = await scene.headgate("abort", scene.name)
    assert aborted.exit_code == 0, aborted.output
    status = await scene.until(lambda s: s.rejected and not s.draining, "the third is refused and gone")
    assert (status.rejected[0].version, status.rejected[0].reason) == (third.name, "Aborted")
    assert (len(await scene.cluster.api.list(*SERVICES)), len(await scene.cluster.api.list(*RUNTIMES))) == (1, 1)
    await removed(scene)


async def removed(scene: Scene) -> None:
    """Delete the object, and wait until nothing is left of it."""
    await scene.cluster.api.delete(*SUBJECT)
    for kind in CHILDREN:

        async def none(kind: tuple[str, str, str] = kind) -> bool:
            return not [obj for obj in await scene.cluster.api.list(*kind) if obj["metadata"]["name"].startswith(scene.name)]

        await eventually(none, seconds=60 * scene.patience)
