"""How a Deployment replaces and scales pods, and what its conditions say meanwhile."""

from typing import Any

from headgate_devcluster.kserve import deployments
from headgate_devcluster.kserve.isvc_status import predictor_condition

NOW = "2026-01-01T00:00:00Z"


def deployment(replicas: int = 1, *, image: str = "a", status: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m-predictor", "namespace": "ml", "uid": "d1", "generation": 4},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": "m"}}, "spec": {"containers": [{"image": image}]}}},
        "status": status or {},
    }


def pod(of: dict[str, Any], *, ready: bool = True, deleted: bool = False) -> dict[str, Any]:
    made = deployments.new_pod(of, "p")
    made["status"] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    if deleted:
        made["metadata"]["deletionTimestamp"] = NOW
    return made


def census(now: dict[str, Any], *pods: dict[str, Any]) -> deployments.Census:
    return deployments.census(now, list(pods))


def reasons(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {entry["type"]: (entry["status"], entry["reason"]) for entry in status["conditions"]}


def test_a_new_deployment_creates_all_its_pods() -> None:
    assert deployments.pods_to_create(census(deployment(3))) == 3


def test_a_pod_being_deleted_is_replaced_at_once() -> None:
    now = deployment()
    assert deployments.pods_to_create(census(now, pod(now, deleted=True))) == 1


def test_an_old_pod_serves_until_the_new_one_is_ready() -> None:
    old, new = deployment(image="a"), deployment(image="b")
    serving = pod(old)
    assert deployments.pods_to_create(census(new, serving)) == 1
    assert deployments.pods_to_delete(census(new, serving, pod(new, ready=False))) == []
    assert deployments.pods_to_delete(census(new, serving, pod(new))) == [serving]


def test_an_old_pod_that_serves_nobody_goes_first() -> None:
    old, new = deployment(image="a"), deployment(image="b")
    useless = pod(old, ready=False)
    assert deployments.pods_to_delete(census(new, useless)) == [useless]


def test_four_replicas_are_replaced_one_more_and_one_fewer_at_a_time() -> None:
    old, new = deployment(4, image="a"), deployment(4, image="b")
    pods = [pod(old) for _ in range(4)]
    assert deployments.pods_to_create(census(new, *pods)) == 1
    assert len(deployments.pods_to_delete(census(new, *pods))) == 1


def test_scaling_down_takes_pods_that_are_not_ready_first() -> None:
    now = deployment(1)
    starting = pod(now, ready=False)
    assert deployments.pods_to_delete(census(now, pod(now), starting)) == [starting]


def test_pods_of_another_deployment_do_not_count() -> None:
    other = deployment()
    other["metadata"]["uid"] = "d2"
    assert census(deployment(), pod(other)).new == ()


def test_conditions_while_the_first_pod_starts_and_when_it_is_ready() -> None:
    now = deployment()
    starting = deployments.status(now, census(now, pod(now, ready=False)), NOW)
    assert reasons(starting) == {"Available": ("False", "MinimumReplicasUnavailable"), "Progressing": ("True", "ReplicaSetUpdated")}
    assert starting["unavailableReplicas"] == 1
    assert "availableReplicas" not in starting
    ready = deployments.status(now, census(now, pod(now)), NOW)
    assert reasons(ready) == {"Available": ("True", "MinimumReplicasAvailable"), "Progressing": ("True", "NewReplicaSetAvailable")}
    assert (ready["availableReplicas"], ready["observedGeneration"]) == (1, 4)


def test_during_an_update_the_inference_service_stays_ready_and_only_the_reason_changes() -> None:
    old, new = deployment(image="a"), deployment(image="b")
    new["status"] = deployments.status(old, census(old, pod(old)), NOW)
    new["status"] = deployments.status(new, census(new, pod(old), pod(new, ready=False)), NOW)
    found = predictor_condition(new)
    assert (found["status"], found["reason"]) == ("True", "MinimumReplicasAvailable")
    new["status"] = deployments.status(new, census(new, pod(new)), NOW)
    assert predictor_condition(new)["reason"] == "NewReplicaSetAvailable"


def test_scaling_up_makes_a_serving_inference_service_unready_for_a_while() -> None:
    one, two = deployment(1), deployment(2)
    two["status"] = deployments.status(one, census(one, pod(one)), NOW)
    two["status"] = deployments.status(two, census(two, pod(two), pod(two, ready=False)), NOW)
    assert predictor_condition(two)["status"] == "False"
    assert two["status"]["availableReplicas"] == 1


def test_a_condition_that_says_the_same_keeps_its_times() -> None:
    now = deployment()
    now["status"] = deployments.status(now, census(now, pod(now)), NOW)
    assert deployments.status(now, census(now, pod(now)), "2027-01-01T00:00:00Z") == now["status"]
