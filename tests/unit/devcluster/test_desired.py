"""What the stand-in makes of an InferenceService, as KServe does."""

from typing import Any

import pytest

from headgate_devcluster.kserve import desired
from headgate_devcluster.kserve.deployments import template_hash

URI = "file:///storage/flight-delay/1-abc"


def runtime(**spec: Any) -> dict[str, Any]:
    container = {
        "name": "kserve-container",
        "image": "ghcr.io/headgate/headgate-serving:0.1.0",
        "args": ["--model_name={{.Name}}", "--model_dir=/mnt/models"],
        "env": [{"name": "OMP_NUM_THREADS", "value": "1"}, {"name": "LEVEL", "value": "info"}],
    }
    return {"spec": {"containers": [{"name": "sidecar"}, container], "annotations": {"prometheus.kserve.io/port": "8080"}} | spec}


def isvc(*, model: dict[str, Any] | None = None, labels: dict[str, str] | None = None, **predictor: Any) -> dict[str, Any]:
    meta = {"name": "m-1234", "namespace": "ml", "uid": "u1", "labels": {"team": "a"} | (labels or {})}
    meta["annotations"] = {"serving.kserve.io/deploymentMode": "Standard", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    part = {"model": {"runtime": "m-1234", "storageUri": URI} | (model or {})} | predictor
    return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": meta, "spec": {"predictor": part}}


def pod_container(obj: dict[str, Any]) -> dict[str, Any]:
    (found,) = desired.deployment(obj, runtime())["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_the_predictors_arguments_follow_the_runtimes_and_the_name_is_filled_in() -> None:
    container = pod_container(isvc(model={"args": ["--model_name=flight-delay"]}))
    assert container["args"] == ["--model_name=m-1234", "--model_dir=/mnt/models", "--model_name=flight-delay"]


def test_the_predictors_environment_overrides_the_runtimes_by_name() -> None:
    env = {entry["name"]: entry["value"] for entry in pod_container(isvc(model={"env": [{"name": "LEVEL", "value": "debug"}]}))["env"]}
    assert env == {"OMP_NUM_THREADS": "1", "LEVEL": "debug", "INFERENCE_SERVICE_NAME": "m-1234"}


def test_the_template_says_which_model_it_loads_by_annotation_and_by_the_initializers_argument() -> None:
    template = desired.deployment(isvc(), runtime())["spec"]["template"]
    assert template["metadata"]["annotations"]["internal.serving.kserve.io/storage-initializer-sourceuri"] == URI
    assert template["spec"]["initContainers"][0]["args"] == [URI, "/mnt/models"]


def test_children_are_named_labelled_and_owned_as_kserve_does_it() -> None:
    for child in (desired.deployment(isvc(), runtime()), desired.service(isvc())):
        meta = child["metadata"]
        assert (meta["name"], meta["namespace"]) == ("m-1234-predictor", "ml")
        assert meta["labels"] == {
            "app": "isvc.m-1234-predictor",
            "component": "predictor",
            "serving.kserve.io/inferenceservice": "m-1234",
            "team": "a",
        }
        assert meta["annotations"] == {"serving.kserve.io/deploymentMode": "Standard"}
        assert [(owner["uid"], owner["controller"]) for owner in meta["ownerReferences"]] == [("u1", True)]


def test_a_label_or_annotation_more_changes_the_pod_template() -> None:
    plain = template_hash(desired.deployment(isvc(), runtime()))
    assert template_hash(desired.deployment(isvc(labels={"role": "stable"}), runtime())) != plain


def test_replica_bounds_do_not_change_the_pod_template() -> None:
    plain = template_hash(desired.deployment(isvc(), runtime()))
    assert template_hash(desired.deployment(isvc(minReplicas=3, maxReplicas=5), runtime())) == plain


@pytest.mark.parametrize(("given", "bounds"), [({}, (1, 1)), ({"minReplicas": 2}, (2, 2)), ({"minReplicas": 2, "maxReplicas": 5}, (2, 5))])
def test_replica_bounds_default_to_one_and_are_never_crossed(given: dict[str, int], bounds: tuple[int, int]) -> None:
    assert desired.replica_bounds(isvc(**given)) == bounds


def test_an_autoscaler_decides_unless_the_annotation_says_otherwise() -> None:
    obj = isvc()
    assert desired.autoscaled(obj)
    obj["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = "none"
    assert not desired.autoscaled(obj)
