"""The ModelDeployments of the bench, and what people do to them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import yaml

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.objects import Object
from headgate_operator.api.names import API_VERSION, KIND, PLURAL

NAMESPACE = "bench"
_RUNTIME = Path(__file__).parents[3] / "manifests" / "runtimes" / "headgate-xgboost.yaml"
_AT_A_TIME = 8
_FOR_EVER = [{"weight": 10, "minDuration": "24h", "minRequests": 10_000_000}]


def names(count: int) -> list[str]:
    """The objects' names."""
    return [f"model-{number:05d}" for number in range(count)]


async def prepare(api: ApiClient) -> None:
    """Create what every object needs."""
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, field_manager="bench")
    for obj in yaml.safe_load_all(_RUNTIME.read_text()):
        await api.apply(obj, field_manager="bench")


async def create(api: ApiClient, wanted: Iterable[str]) -> None:
    """Create the objects."""
    await _each(wanted, lambda name: api.create(_manifest(name)))


async def new_version(api: ApiClient, name: str, number: int) -> None:
    """Name another model, as a person would who wants to roll it out."""
    await _patch(api, name, {"spec": {"model": {"uri": f"s3://models/{name}/{number}"}}})


async def scale(api: ApiClient, wanted: Iterable[str]) -> None:
    """Give each of them other replica bounds."""
    await _each(wanted, lambda name: _patch(api, name, {"spec": {"predictor": {"replicas": {"max": 20}}}}))


async def small_edit(api: ApiClient, name: str, number: int) -> None:
    """Change what restarts nothing: replica bounds one time, a setting of the rollout the other."""
    edits: tuple[Object, Object] = (
        {"spec": {"predictor": {"replicas": {"max": 4 + number % 8}}}},
        {"spec": {"rollout": {"scaleDownDelay": f"{10 + number % 50}m"}}},
    )
    await _patch(api, name, edits[number % 2])


async def _patch(api: ApiClient, name: str, patch: Object) -> Object:
    return await api.merge_patch(API_VERSION, PLURAL, NAMESPACE, name, patch)


async def _each(wanted: Iterable[str], work: Callable[[str], Awaitable[object]]) -> None:
    places = asyncio.Semaphore(_AT_A_TIME)

    async def one(name: str) -> None:
        async with places:
            await work(name)

    await asyncio.gather(*map(one, wanted))


def _manifest(name: str) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "model": {"uri": "s3://models/flight-delay/1", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
            "parity": {"mode": "Off"},
            "rollout": {"steps": _FOR_EVER},
            "analysis": {"interval": "5s", "metrics": [{"name": "errors", "preset": "gateway-errors", "maximum": "5%"}]},
        },
    }
