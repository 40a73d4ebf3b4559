"""What is applied: the pinned object, its owner, and the bounds of the moment."""

from copy import deepcopy

from headgate_operator.api.status import Rendered
from headgate_operator.kserve.children import Owner, Scaling, gave_up_scaling, inference_service, pinned_form, serving_runtime

OWNER = Owner(name="flight-delay", uid="u-1")
PINNED = Rendered(
    inference_service={"metadata": {"name": "a"}, "spec": {"predictor": {"model": {"storageUri": "s3://m/1"}}}},
    serving_runtime={"metadata": {"name": "a"}, "spec": {}},
)


def test_bounds_and_owner_are_added_to_what_was_pinned():
    obj = inference_service(PINNED, owner=OWNER, scaling=Scaling(min_replicas=2, max_replicas=5))
    assert obj == {
        "metadata": {"name": "a", "ownerReferences": [OWNER.reference()]},
        "spec": {"predictor": {"model": {"storageUri": "s3://m/1"}, "minReplicas": 2, "maxReplicas": 5}},
    }
    assert "minReplicas" not in PINNED.inference_service["spec"]["predictor"]


def test_a_raised_minimum_takes_the_maximum_along():
    obj = inference_service(PINNED, owner=OWNER, scaling=Scaling(min_replicas=4, max_replicas=2))
    assert obj["spec"]["predictor"]["maxReplicas"] == 4


def test_the_runtime_copy_is_owned_too():
    assert OWNER.owns(serving_runtime(PINNED, owner=OWNER))


def test_only_the_controlling_reference_with_our_uid_makes_an_object_ours():
    reference = OWNER.reference()
    assert OWNER.owns({"metadata": {"ownerReferences": [{"uid": "x"}, reference]}})
    assert not OWNER.owns({"metadata": {"ownerReferences": [reference | {"controller": False}]}})
    assert not OWNER.owns({"metadata": {"ownerReferences": [reference | {"uid": "u-2"}]}})
    assert not OWNER.owns({"metadata": {}})


def test_live_children_are_read_back_in_the_form_that_is_pinned():
    service = {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
        "metadata": {
            "name": "a", "namespace": "ml",
            "labels": {"headgate.dev/model-deployment": "m", "networking.kserve.io/visibility": "cluster-local"},
            "annotations": {"serving.kserve.io/deploymentMode": "Standard"},
        },
        "spec": {"predictor": {"model": {"storageUri": "s3://m/1"}}},
    }  # fmt: skip
    runtime = {
        "apiVersion": "serving.kserve.io/v1alpha1", "kind": "ServingRuntime",
        "metadata": {"name": "a", "namespace": "ml", "labels": {"headgate.dev/model-deployment": "m"}}, "spec": {"containers": []},
    }  # fmt: skip
    pinned = Rendered(inference_service=service, serving_runtime=runtime)
    live_service = deepcopy(inference_service(pinned, owner=OWNER, scaling=Scaling(min_replicas=2, max_replicas=5))) | {"status": {}}
    live_service["metadata"] |= {"uid": "u", "resourceVersion": "7", "managedFields": []}
    live_service["metadata"]["annotations"] |= {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    assert pinned_form(live_service, serving_runtime(pinned, owner=OWNER)) == pinned


def test_what_the_autoscaler_aims_at_is_no_part_of_what_is_pinned():
    scaling = Scaling(min_replicas=2, max_replicas=5, metric="memory", target=70)
    predictor = inference_service(PINNED, owner=OWNER, scaling=scaling)["spec"]["predictor"]
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("memory", 70)
    plain = inference_service(PINNED, owner=OWNER, scaling=Scaling(min_replicas=2, max_replicas=5))["spec"]["predictor"]
    assert "scaleMetric" not in plain
    assert "scaleTarget" not in plain


def test_a_scaling_field_that_we_wrote_and_no_longer_want_is_given_up_but_not_what_others_set():
    plain = inference_service(PINNED, owner=OWNER, scaling=Scaling(min_replicas=2, max_replicas=5))
    owned = {"f:spec": {"f:predictor": {"f:minReplicas": {}, "f:scaleMetric": {}}}}
    live = plain | {"metadata": plain["metadata"] | {"managedFields": [{"manager": "headgate", "fieldsV1": owned}]}}
    assert gave_up_scaling(live, plain, manager="headgate")
    assert not gave_up_scaling(live, plain, manager="somebody")
    assert not gave_up_scaling(plain, plain, manager="headgate")
