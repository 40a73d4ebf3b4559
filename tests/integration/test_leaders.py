"""Two operators at once: the one that leads is frozen, or its Lease is taken away, in the middle of a rollout."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.cluster import Cluster
from headgate_devcluster.faults import PauseOperator
from headgate_devcluster.gateway.envoy import Addresses
from headgate_devcluster.installed import GATEWAY, OPERATOR_NAMESPACE
from headgate_devcluster.operator_process import OperatorProcess
from tests.play import QUICK, play
from tests.scene import Scene
from tests.waiting import eventually

LEASE = ("coordination.k8s.io/v1", "leases", OPERATOR_NAMESPACE, "headgate-operator")
LONG = {**QUICK, "steps": [{"weight": 20, "minDuration": "5s", "minRequests": 10}, *QUICK["steps"][1:]]}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """With a Lease, as in production."""
    async with Cluster(tmp_path / "cluster") as cluster:
        yield Scene(cluster)


@pytest.fixture
async def second(scene: Scene) -> AsyncIterator[OperatorProcess]:
    """Another operator, which waits for the Lease."""
    cluster = scene.cluster
    envoy = Addresses(cluster.gateway_url, cluster.cluster_local_proxy, cluster.envoy_admin_url)
    operator = OperatorProcess(cluster.kubeconfig, cluster.namespace, GATEWAY, envoy, cluster.folder / "logs" / "second.log")

    async def led() -> bool:
        return bool(await holder(scene))

    await eventually(led)  # by the cluster's own
    await operator.start()
    yield operator
    await operator.stop()


async def holder(scene: Scene) -> str:
    lease = await scene.cluster.api.get(*LEASE)
    return str(((lease or {}).get("spec") or {}).get("holderIdentity", ""))


@pytest.mark.slow
async def test_a_leader_that_was_frozen_writes_nothing_over_its_successor_and_ends(
    scene: Any, second: OperatorProcess, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        new, first_leader, pid = playing.models.new(good=True), await holder(scene), scene.cluster.pids()["operator"]
        await scene.apply(new, rollout=LONG)
        await scene.until(lambda s: s.candidate and s.candidate.weight == 20, "the candidate has weight")
        frozen = scene.cluster.faults.inject(PauseOperator())
        status = await scene.until(lambda s: s.stable.version == new.name, "the second one goes on", 240)
        assert await holder(scene) != first_leader
        scene.cluster.faults.remove(frozen)
        await eventually(lambda: scene.cluster.pids().get("operator", pid) != pid)
        await scene.until(lambda s: s.phase == "Healthy" and not s.draining, "the rollout ends")
        playing.promotions += 1
        assert playing.witness.stables[-1] == status.stable.id
        await playing.rollback()


@pytest.mark.slow
async def test_a_lease_that_is_deleted_or_stolen_changes_who_leads_and_nothing_else(
    scene: Any, second: OperatorProcess, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        new = playing.models.new(good=True)
        await scene.apply(new, rollout=LONG)
        await scene.until(lambda s: s.candidate and s.candidate.weight == 20, "the candidate has weight")
        await scene.cluster.api.delete(*LEASE)
        await scene.until(lambda s: s.stable.version == new.name and s.phase == "Healthy" and not s.draining, "the rollout ends", 240)
        await scene.cluster.api.merge_patch(*LEASE, {"spec": {"holderIdentity": "somebody-who-never-renews"}})
        await playing.rollback()
        assert await holder(scene) not in {"", "somebody-who-never-renews"}
        playing.promotions += 1
