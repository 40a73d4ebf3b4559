"""Whole rollouts in which the process dies before and after every single call it makes, and starts again: they end as without deaths."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from headgate_operator.controller.resources import INFERENCE_SERVICES
from tests.drama import SPEC, WRITES, Drama

GOOD, BAD, OTHER = (f"s3://models/flight-delay/{name}" for name in ("2", "bad", "3"))


async def serving(world: Any, deadly: bool) -> tuple[Drama, str]:
    """Return a drama in which a first version serves, and its id."""
    drama = Drama(world, deadly=deadly)
    await world.manifest(**SPEC)
    status = await drama.play(lambda status: status.stable is not None and status.phase == "Healthy")
    return drama, status.stable.id


async def promotion(world: Any, drama: Drama, first: str) -> Any:
    await world.manifest(uri=GOOD, **SPEC)
    return await drama.play(lambda status: status.phase == "Healthy" and status.stable.id != first and not status.draining)


async def rollback(world: Any, drama: Drama, first: str) -> Any:
    await world.manifest(uri=BAD, **SPEC)
    status = await drama.play(lambda status: status.candidate is not None)
    drama.failing = {status.candidate.id: 0.4}
    return await drama.play(lambda status: status.rejected and not status.draining)


async def supersede(world: Any, drama: Drama, first: str) -> Any:
    await world.manifest(uri=OTHER, **SPEC)
    await drama.play(lambda status: status.candidate is not None and status.candidate.weight == 20)
    return await promotion(world, drama, first)


async def pause(world: Any, drama: Drama, first: str) -> Any:
    await world.manifest(uri=GOOD, **SPEC)
    status = await drama.play(lambda status: status.candidate is not None and status.candidate.weight == 20)
    await drama.command(f"pause@{status.candidate.id}")
    for _ in range(6):  # longer than its step would have lasted
        await drama.act()
    status = await world.status()
    assert (status.candidate.weight, status.candidate.paused) == (20, True)
    await drama.command(f"resume@{status.candidate.id}")
    return await drama.play(lambda status: status.phase == "Healthy" and status.stable.id != first and not status.draining)


async def watch_rollback(world: Any, drama: Drama, first: str) -> Any:
    await world.manifest(uri=BAD, **SPEC)
    status = await drama.play(lambda status: status.phase == "Watching")
    drama.failing = {status.stable.id: 0.4}
    return await drama.play(lambda status: status.rejected and not status.draining)


Story = Callable[[Any, Drama, str], Awaitable[Any]]


@pytest.mark.parametrize(
    "deadly", [pytest.param(False, id="nobody dies"), pytest.param(True, id="it dies at every call", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("story", "promotions", "refused"),
    [
        (promotion, 1, []),
        (rollback, 0, ["ErrorsWorse"]),
        (supersede, 1, []),
        (pause, 1, []),
        (watch_rollback, 2, ["ErrorsWorse"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_a_rollout_ends_as_it_should(world: Any, deadly: bool, story: Story, promotions: int, refused: list[str]) -> None:
    drama, first = await serving(world, deadly)
    status = await story(world, drama, first)
    for _ in range(4):  # and nothing comes after the end
        await drama.act()
    assert (await world.status()).stable.id == status.stable.id
    assert len(drama.witness.stables) == 1 + promotions
    assert (status.stable.id == first) is bool(refused)
    assert [entry.reason for entry in status.rejected] == refused
    assert drama.refused_then_served == 0
    assert all(drama.served[entry.id] > 0 for entry in status.rejected)
    assert await world.weights() == {f"{status.stable.isvc}-predictor": 100}
    assert [one["metadata"]["name"] for one in await world.admin.list(INFERENCE_SERVICES, "ml")] == [status.stable.isvc]
    if deadly:
        assert_it_died_of_everything(drama)


def assert_it_died_of_everything(drama: Drama) -> None:
    """Before and after every kind of call, writes included."""
    deaths = drama.witness.deaths
    for when in ("before", "after"):
        died_of = {(verb, kind) for moment, verb, kind in deaths if moment == when}
        assert {kind for verb, kind in died_of if verb in WRITES} >= {"ModelDeployment", "InferenceService", "ServingRuntime", "HTTPRoute"}
        assert ("get", "ModelDeployment") in died_of
    assert deaths.total() > 500
