"""Two operators, each with its shard of the same namespace; objects change shards, and none is lost or worked on twice."""

import asyncio
from typing import Any

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.api.names import API_VERSION
from tests.operatorprocess import Operator, manifest, stalled, until


def of_shard(name: str, shard: str) -> dict[str, Any]:
    obj = manifest(name)
    return obj | {"metadata": obj["metadata"] | {"labels": {"headgate.dev/shard": shard}}}


async def serves(operator: Operator, name: str) -> bool:
    return f'headgate_rollout_phase{{name="{name}"' in (await operator.get("/metrics"))[1]


async def test_each_operator_works_on_its_shard_and_an_object_that_changes_shards_is_not_lost(
    server: ApiServer, api: ApiClient, start: Any
) -> None:
    await api.apply(crd(), field_manager="test")
    for name, shard in (("one", "a"), ("two", "b"), ("three", "c")):
        await api.apply(of_shard(name, shard), field_manager="test")
    await api.apply(manifest("unlabelled"), field_manager="test")
    a, b = await asyncio.gather(start("--shard-selector", "headgate.dev/shard=a"), start("--shard-selector", "headgate.dev/shard=b"))
    await until(lambda: stalled(api, "one"), a)
    await until(lambda: stalled(api, "two"), b)
    assert await a.leads()
    assert await b.leads(), "each shard has a Lease of its own"
    assert not await serves(a, "two")
    assert not await serves(b, "one")
    before = await api.get(API_VERSION, "modeldeployments", "ml", "one")

    await api.merge_patch(API_VERSION, "modeldeployments", "ml", "one", {"metadata": {"labels": {"headgate.dev/shard": "b"}}})

    async def moved() -> bool:
        return await serves(b, "one") and not await serves(a, "one")

    await until(moved, a)
    after = await api.get(API_VERSION, "modeldeployments", "ml", "one")
    assert before is not None
    assert after is not None
    assert after["status"] == before["status"], "nothing is done twice, nothing is forgotten"
    await api.merge_patch(API_VERSION, "modeldeployments", "ml", "one", {"spec": {"model": {"runtime": "absent-too"}}})

    async def followed() -> bool:
        obj = await api.get(API_VERSION, "modeldeployments", "ml", "one") or {}
        return bool(obj["status"].get("observedGeneration") == 2)

    await until(followed, b)
    for name in ("three", "unlabelled"):
        found = await api.get(API_VERSION, "modeldeployments", "ml", name)
        assert found is not None
        assert found["status"] == {"observedGeneration": -1}, f"{name} is nobody's"
    assert "Traceback" not in a.said + b.said
