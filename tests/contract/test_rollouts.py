"""Whole rollouts on a real API server: the operator under its own ServiceAccount with exactly `manifests/rbac`, leader election on, the
KServe stand-in and the gateway as other clients. What was refused for want of a right is in the server's audit log.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.cluster import Cluster
from tests.faultproxy import FaultProxy
from tests.play import play
from tests.realcluster.controlplane import ControlPlane, control_plane
from tests.realcluster.definitions import full_definitions
from tests.realcluster.programs import Programs
from tests.scenarios import ROUTES, Exports, promoted_then_rolled_back, superseded_then_aborted
from tests.scene import Scene
from tests.storm import EVERY_CALL, STORM
from tests.waiting import eventually, settled
from tests.witness import WRITES, background

pytestmark = [pytest.mark.real_api, pytest.mark.slow]

OPERATOR = "system:serviceaccount:headgate-system:headgate-operator"
RBAC = Path(__file__).parents[2] / "manifests" / "rbac"
REFUSED = {401, 403}
SHORT = {"steps": [{"weight": 50, "minDuration": "2s", "minRequests": 20}], "watch": {"duration": "2s"}, "scaleDownDelay": "1s"}
LONG = {"steps": [{"weight": 20, "minDuration": "5m", "minRequests": 20}], "scaleDownDelay": "1s"}


@pytest.fixture
def plane(tmp_path: Path, real_programs: Programs) -> Any:
    """A control plane of the test's own: the stand-ins look after every InferenceService, Deployment and Pod there is.

    With the full schemas of KServe and the Gateway API where those are at hand.
    """
    if real_programs.controller_manager is None:
        pytest.skip("no kube-controller-manager: nothing would collect the children of what is deleted")
    folder = tmp_path / "control-plane"
    folder.mkdir()
    with control_plane(folder, real_programs, definitions=full_definitions()[1]) as plane:
        yield plane


@pytest.fixture
async def scene(tmp_path: Path, plane: ControlPlane) -> AsyncIterator[Scene]:
    async with Cluster(tmp_path / "cluster", api_server=plane.access) as cluster:
        yield Scene(cluster)
    assert refused(plane) == [], "manifests/rbac lacks a right"


@pytest.fixture
async def proxy(plane: ControlPlane) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(plane.access) as proxy:
        yield proxy


@pytest.fixture
async def stormy(tmp_path: Path, plane: ControlPlane, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A cluster whose operator reaches the API server through the proxy. A lease lost in a storm would only cost 15 s each time."""
    monkeypatch.setenv("HEADGATE_LEADER_ELECTION", "false")
    async with Cluster(tmp_path / "cluster", api_server=plane.access, operator_api=proxy.url) as cluster:
        yield Scene(cluster)


def requests(plane: ControlPlane) -> list[dict[str, Any]]:
    """What the operator asked of the API server."""
    assert plane.audit_log is not None
    told = (json.loads(line) for line in plane.audit_log.read_text().splitlines())
    return [event for event in told if event["user"]["username"] == OPERATOR]


def refused(plane: ControlPlane) -> list[str]:
    return sorted({event["requestURI"] for event in requests(plane) if event["responseStatus"]["code"] in REFUSED})


async def test_a_good_version_is_promoted_and_a_broken_one_rolled_back(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    await promoted_then_rolled_back(scene, Exports(make_export, tmp_path / "s"), make_columns, rollout=SHORT)


async def test_a_candidate_is_superseded_its_successor_aborted_and_everything_collected(
    scene: Scene, plane: ControlPlane, tmp_path: Path, make_export: Any
) -> None:
    async def twice(scene: Scene) -> None:
        for _ in range(2):
            await swap_the_weights(scene)  # the second Event about it continues the first

    await superseded_then_aborted(scene, Exports(make_export, tmp_path / "s"), rollout=LONG, on_trial=twice)
    assert set(scene.cluster.pids()) == {"envoy", "operator"}
    assert rights() - used(plane) == set(), "manifests/rbac grants more than the operator uses"


async def test_a_storm_of_errors_lost_answers_and_cut_watches_delays_and_changes_nothing(
    stormy: Scene, plane: ControlPlane, proxy: FaultProxy, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async def cut_watches() -> None:
        while True:
            await asyncio.sleep(2)
            proxy.cut_watches()

    async def nothing_more_written(_: Scene) -> None:
        await settled(lambda: len([event for event in requests(plane) if event["verb"] in WRITES]), quiet=3, seconds=120)

    async with play(stormy, tmp_path, make_export, make_columns, rest=nothing_more_written) as playing:
        for fault in STORM:
            proxy.faults.add(fault)
        async with background(cut_watches()):
            await playing.promotion()
            if EVERY_CALL:
                await playing.rollback()
        proxy.faults.clear()
    assert proxy.struck > 20
    assert proxy.lost > 0


async def swap_the_weights(scene: Scene) -> None:
    """Give each version the share of the other, and wait until the operator has put it right."""

    async def rule() -> Any:
        return (await scene.cluster.api.get(*ROUTES, scene.name) or {})["spec"]["rules"][0]

    await scene.until(
        lambda s: {entry.id: entry.weight for entry in s.traffic}.get(s.candidate.id) == s.candidate.weight, "the route is read back"
    )
    right = await rule()
    swapped = [ref | {"weight": 100 - ref["weight"]} for ref in right["backendRefs"]]
    await scene.cluster.api.merge_patch(*ROUTES, scene.name, {"spec": {"rules": [right | {"backendRefs": swapped}]}})

    async def put_right() -> bool:
        return await rule() == right

    await eventually(put_right)


Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""

NOT_IN_THE_LOG = {("headgate.dev", "modeldeployments/finalizers", "update"), ("apps", "deployments", "list")}
"""Needed all the same: without the first the API server refuses the children's ownerReferences, for an admission plug-in
asks for it there; the second is for Knative mode (tests/unit/controller/test_rights.py)."""


def rights() -> set[Right]:
    """What manifests/rbac grants."""
    rules = [rule for path in ("clusterrole.yaml", "role.yaml") for rule in yaml.safe_load((RBAC / path).read_text())["rules"]]
    granted = {
        (group, resource, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }
    return granted - NOT_IN_THE_LOG


def used(plane: ControlPlane) -> set[Right]:
    """What the operator has used. An apply that creates an object needs the right to create it, too."""
    found: set[Right] = set()
    for event in requests(plane):
        told = event.get("objectRef")
        if told is None or event["responseStatus"]["code"] in REFUSED:
            continue
        resource = "/".join(filter(None, (told["resource"], told.get("subresource"))))
        found.add((told.get("apiGroup", ""), resource, event["verb"]))
        if event["responseStatus"]["code"] == 201:
            found.add((told.get("apiGroup", ""), resource, "create"))
    return found
