"""What is true about a version, from objects as a real KServe controller wrote them."""

import copy

from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.read import ServiceState, predictor_address, read_service

OWNER = Owner(name="flight-delay", uid="u-1")
URI = "s3://models/flight-delay/7"


def isvc(ready: str = "True", **status) -> dict:
    unavailable = {"reason": "MinimumReplicasUnavailable", "message": "Deployment does not have minimum availability."}
    condition = {"type": "Ready", "status": ready} | (unavailable if ready == "False" else {})
    return {
        "metadata": {"name": "flight-delay-0a1b2c3d", "ownerReferences": [OWNER.reference()]},
        "spec": {"predictor": {"model": {"storageUri": URI}, "minReplicas": 2}},
        "status": {"conditions": [condition], **status},
    }


def deployment(*, available: int = 2, generation: int = 1, observed: int = 1, uri: str = URI) -> dict:
    template = {"spec": {"initContainers": [{"name": "storage-initializer", "args": [uri, "/mnt/models"]}]}}
    status = {"observedGeneration": observed} | ({"availableReplicas": available} if available else {})
    return {"metadata": {"generation": generation}, "spec": {"template": template}, "status": status}


def pod(name: str = "p-1", **container) -> dict:
    return {"metadata": {"name": name}, "status": {"containerStatuses": [{"name": "kserve-container", "restartCount": 0} | container]}}


def read(of: dict, *, runs: dict | None = None, pods: tuple[dict, ...] = ()) -> ServiceState:
    return read_service(of, deployment=runs, pods=pods, owner=OWNER)


def test_a_version_that_serves():
    assert read(isvc(), runs=deployment(), pods=(pod(),)) == ServiceState(
        name="flight-delay-0a1b2c3d",
        ours=True,
        deleting=False,
        min_replicas=2,
        available_replicas=2,
        isvc_ready=True,
        rolled_out=True,
        not_ready="",
        restarts=0,
    )


def test_ready_alone_proves_nothing_while_the_deployment_lags():
    assert not read(isvc(), runs=deployment(generation=2)).rolled_out
    assert not read(isvc(), runs=None).rolled_out


def test_ready_alone_proves_nothing_while_pods_load_another_model():
    assert not read(isvc(), runs=deployment(uri="s3://models/flight-delay/6")).rolled_out


def test_the_model_is_also_found_in_kserves_annotation():
    annotated = deployment(uri="elsewhere")
    annotated["spec"]["template"]["metadata"] = {"annotations": {"internal.serving.kserve.io/storage-initializer-sourceuri": URI}}
    assert read(isvc(), runs=annotated).rolled_out


def test_available_replicas_are_the_deployments_whatever_ready_says():
    flapping = read(isvc("False"), runs=deployment(available=1))
    assert (flapping.isvc_ready, flapping.available_replicas) == (False, 1)
    assert read(isvc(), runs=deployment(available=0)).available_replicas == 0


def test_an_inference_service_of_somebody_else_is_not_ours():
    foreign = isvc()
    foreign["metadata"]["ownerReferences"][0]["uid"] = "u-2"
    assert not read(foreign).ours
    del foreign["metadata"]["ownerReferences"]
    assert not read(foreign).ours


def test_a_new_inference_service_without_status_can_be_read():
    fresh = {"metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"predictor": {}}}
    state = read(fresh)
    assert (state.isvc_ready, state.deleting, state.min_replicas) == (False, True, 1)
    assert state.not_ready == "KServe has not created its Deployment yet"


def test_restarts_are_summed_over_pods_and_init_containers():
    second = pod("p-2", restartCount=2)
    second["status"]["initContainerStatuses"] = [{"name": "storage-initializer", "restartCount": 1}]
    assert read(isvc(), runs=deployment(), pods=(pod(restartCount=4), second)).restarts == 7


def test_an_image_that_cannot_be_pulled_is_told_from_the_pod():
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "localhost/none:1"'}}
    state = read(isvc("False"), runs=deployment(available=0), pods=(pod(state=waiting),))
    assert state.not_ready == 'container kserve-container of pod p-1 waits: ImagePullBackOff: Back-off pulling image "localhost/none:1"'


def test_a_crash_is_told_with_its_exit_code_and_last_words():
    crashed = {"terminated": {"exitCode": 1, "reason": "Error", "message": "ModelError: wrong\n  hash\n"}}
    looping = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=crashed, restartCount=3)
    state = read(isvc("False"), runs=deployment(available=0), pods=(looping,))
    assert state.not_ready == "container kserve-container of pod p-1 ended with exit code 1, restarted 3 times: ModelError: wrong hash"


def test_a_pod_without_a_node_is_told():
    pending = {
        "metadata": {"name": "p-1"},
        "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
    }
    state = read(isvc("False"), runs=deployment(available=0), pods=(pending,))
    assert state.not_ready == "pod p-1 cannot be scheduled: 0/3 nodes are available"


def test_starting_is_no_reason_by_itself():
    starting = pod(state={"waiting": {"reason": "ContainerCreating"}})
    state = read(isvc("False"), runs=deployment(available=0), pods=(starting,))
    assert state.not_ready == "Ready: MinimumReplicasUnavailable: Deployment does not have minimum availability."


def test_kserves_failure_counts_only_while_the_model_is_not_up_to_date():
    failure = {"lastFailureInfo": {"reason": "ModelLoadFailed", "message": "no such bucket"}, "transitionStatus": "BlockedByFailedLoad"}
    state = read(isvc("False", modelStatus=failure), runs=deployment(available=0))
    assert state.not_ready == "KServe: ModelLoadFailed: no such bucket"
    old = copy.deepcopy(failure) | {"transitionStatus": "UpToDate"}
    assert "ModelLoadFailed" not in read(isvc("False", modelStatus=old), runs=deployment(available=0)).not_ready


def test_a_long_story_is_cut():
    waiting = {"waiting": {"reason": "CreateContainerError", "message": "x" * 5000}}
    assert len(read(isvc("False"), pods=(pod(state=waiting),)).not_ready) == 400


def test_a_version_is_asked_where_kserve_says_if_that_is_a_host_of_its_own():
    def asked(url):
        return predictor_address({"status": {"address": {"url": url}}}, name="m-1", namespace="ml")

    host = "m-1-predictor.ml.svc.cluster.local"
    assert asked(f"http://{host}:8080") == f"http://{host}:8080"
    assert asked(f"http://{host}/v1/models/m:predict") == f"http://{host}"
    for other in (None, "", "http://169.254.169.254/", f"http://{host}.evil.example", f"http://user@{host}", "file:///etc", "http://[x"):
        assert asked(other) == f"http://{host}"
    assert predictor_address(None, name="m-1", namespace="ml") == f"http://{host}"
