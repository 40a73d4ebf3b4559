"""What is pinned for a revision: complete, and free of anything that changes during its life."""

import json

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Rendered
from headgate_operator.kserve.render import render

OURS = {
    "metadata": {"name": "headgate-xgboost", "annotations": {"serving.kserve.io/server-type": "headgate", "kubectl.kubernetes.io/x": "y"}},
    "spec": {
        "supportedModelFormats": [{"name": "xgboost", "version": "3", "autoSelect": True, "priority": 1}],
        "protocolVersions": ["v1", "v2"],
        "containers": [{"name": "kserve-container", "image": "headgate-serving:1", "args": ["--model_name={{.Name}}", "--http_port=8080"]}],
    },
}
MLSERVER = {
    "metadata": {"name": "kserve-mlserver"},
    "spec": {"containers": [{"name": "kserve-container", "env": [{"name": "MLSERVER_HTTP_PORT", "value": "8080"}]}]},
}
UNKNOWN = {"metadata": {"name": "triton"}, "spec": {"containers": [{"name": "kserve-container", "args": ["--model-store=/mnt"]}]}}


def rendered(runtime=OURS, events=None, **spec) -> Rendered:
    model = {"uri": "s3://models/flight-delay/7", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"}
    parsed = ModelDeploymentSpec.model_validate({"model": model | spec.pop("model", {}), **spec})
    return render(
        parsed,
        uri=parsed.model.uri or "",
        name="flight-delay",
        namespace="ml",
        isvc="flight-delay-0a1b2c3d",
        revision="r0a1b2c3d",
        runtime=runtime,
        events=events,
    )


def model_of(result: Rendered) -> dict:
    return result.inference_service["spec"]["predictor"]["model"]


def test_the_inference_service_names_the_pinned_runtime_copy():
    result = rendered()
    assert model_of(result)["runtime"] == "flight-delay-0a1b2c3d"
    assert result.serving_runtime["metadata"]["name"] == "flight-delay-0a1b2c3d"
    assert result.serving_runtime["kind"] == "ServingRuntime"


def test_the_whole_inference_service():
    assert rendered(predictor={"serviceAccountName": "models"}).inference_service == {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": "flight-delay-0a1b2c3d",
            "namespace": "ml",
            "labels": {"headgate.dev/model-deployment": "flight-delay", "networking.kserve.io/visibility": "cluster-local"},
            "annotations": {"serving.kserve.io/deploymentMode": "Standard"},
        },
        "spec": {
            "predictor": {
                "serviceAccountName": "models",
                "model": {
                    "modelFormat": {"name": "xgboost", "version": "3"},
                    "runtime": "flight-delay-0a1b2c3d",
                    "protocolVersion": "v2",
                    "storageUri": "s3://models/flight-delay/7",
                    "args": ["--model_name=flight-delay"],
                },
            }
        },
    }


def test_replica_bounds_do_not_change_what_is_pinned():
    assert rendered(predictor={"replicas": {"min": 3, "max": 9}}) == rendered()


def test_the_model_name_argument_comes_last_because_servers_take_the_last():
    args = model_of(rendered(model={"modelName": "delays"}, predictor={"args": ["--nthread=2", "--model_name=other"]}))["args"]
    assert args == ["--nthread=2", "--model_name=other", "--model_name=delays"]


def test_mlserver_gets_the_model_name_once_as_environment():
    own = [{"name": "MLSERVER_MODEL_NAME", "value": "other"}, {"name": "A", "value": "b"}]
    model = model_of(rendered(MLSERVER, predictor={"env": own}))
    assert model["env"] == [{"name": "A", "value": "b"}, {"name": "MLSERVER_MODEL_NAME", "value": "flight-delay"}]
    assert "args" not in model


def test_an_unknown_server_gets_no_argument_that_might_stop_it():
    assert "args" not in model_of(rendered(UNKNOWN))


def test_the_runtime_copy_is_never_selected_by_somebody_elses_inference_service():
    copy = rendered().serving_runtime
    assert copy["spec"]["supportedModelFormats"] == [{"name": "xgboost", "version": "3", "autoSelect": False}]
    assert copy["metadata"]["annotations"] == {"serving.kserve.io/server-type": "headgate"}


def test_rendering_leaves_its_inputs_alone():
    before = json.dumps(OURS)
    result = rendered(predictor={"resources": {"limits": {"cpu": "1"}}})
    model_of(result)["resources"]["limits"]["cpu"] = "2"
    assert json.dumps(OURS) == before


POD = {
    "nodeSelector": {"gpu": "a100"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"x": 1}},
    "containerConcurrency": 4,
    "serviceAccountName": "models",
}


def test_pod_settings_reach_the_predictor_under_kserves_names():
    predictor = rendered(predictor=POD).inference_service["spec"]["predictor"]
    assert {name: predictor[name] for name in POD} == POD
    assert set(rendered().inference_service["spec"]["predictor"]) == {"model"}


def test_labels_and_annotations_of_the_manifest_reach_the_inference_service_and_never_replace_ours():
    given = {"labels": {"team": "ops", "networking.kserve.io/visibility": "exposed"}, "annotations": {"a": "b"}}
    metadata = rendered(predictor=given).inference_service["metadata"]
    assert metadata["labels"]["team"] == "ops"
    assert metadata["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert metadata["annotations"]["a"] == "b"


def test_no_role_is_ever_a_label():
    text = json.dumps(rendered(predictor=POD).inference_service["metadata"]).lower()
    for role in ("stable", "candidate", "previous", "canary"):
        assert role not in text


def test_scaling_is_no_part_of_what_is_pinned():
    scaled = rendered(predictor={"replicas": {"min": 2, "max": 9, "metric": "memory", "target": 60}})
    assert scaled == rendered()


def test_requests_are_copied_to_the_monitor_only_where_there_is_one():
    events = "http://headgate-monitor.ml.svc/v1/events/flight-delay/r0a1b2c3d"
    assert "logger" not in rendered().inference_service["spec"]["predictor"]
    logger = rendered(events=events).inference_service["spec"]["predictor"]["logger"]
    assert logger == {"mode": "all", "url": events, "metadataHeaders": ["X-Request-Id", "X-Headgate-Parity"]}


def test_the_joining_header_is_spelled_as_the_agent_of_kserve_compares_it():
    result = rendered(events="http://monitor", groundTruth={"joinOn": "x-b3-traceid"})
    assert result.inference_service["spec"]["predictor"]["logger"]["metadataHeaders"] == ["X-B3-Traceid", "X-Headgate-Parity"]


def test_in_knative_mode_there_is_one_public_inference_service_that_says_whose_revision_it_is():
    service = rendered(serving={"mode": "Knative"}).inference_service
    assert service["metadata"]["name"] == "flight-delay"
    assert "networking.kserve.io/visibility" not in service["metadata"]["labels"]
    assert service["metadata"]["annotations"] == {
        "serving.kserve.io/deploymentMode": "Knative",
        "serving.kserve.io/enable-tag-routing": "true",
        "headgate.dev/revision": "r0a1b2c3d",
    }
    assert service["spec"]["predictor"]["model"]["runtime"] == "flight-delay-0a1b2c3d"
