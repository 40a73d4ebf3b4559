"""What is applied: the pinned object, its owner, and the bounds of the moment."""

from headgate_operator.api.status import Rendered
from headgate_operator.kserve.children import Owner, inference_service, serving_runtime

OWNER = Owner(name="flight-delay", uid="u-1")
PINNED = Rendered(
    inference_service={"metadata": {"name": "a"}, "spec": {"predictor": {"model": {"storageUri": "s3://m/1"}}}},
    serving_runtime={"metadata": {"name": "a"}, "spec": {}},
)


def test_bounds_and_owner_are_added_to_what_was_pinned():
    obj = inference_service(PINNED, owner=OWNER, min_replicas=2, max_replicas=5)
    assert obj == {
        "metadata": {"name": "a", "ownerReferences": [OWNER.reference()]},
        "spec": {"predictor": {"model": {"storageUri": "s3://m/1"}, "minReplicas": 2, "maxReplicas": 5}},
    }
    assert "minReplicas" not in PINNED.inference_service["spec"]["predictor"]


def test_a_raised_minimum_takes_the_maximum_along():
    obj = inference_service(PINNED, owner=OWNER, min_replicas=4, max_replicas=2)
    assert obj["spec"]["predictor"]["maxReplicas"] == 4


def test_the_runtime_copy_is_owned_too():
    assert OWNER.owns(serving_runtime(PINNED, owner=OWNER))


def test_only_the_controlling_reference_with_our_uid_makes_an_object_ours():
    reference = OWNER.reference()
    assert OWNER.owns({"metadata": {"ownerReferences": [{"uid": "x"}, reference]}})
    assert not OWNER.owns({"metadata": {"ownerReferences": [reference | {"controller": False}]}})
    assert not OWNER.owns({"metadata": {"ownerReferences": [reference | {"uid": "u-2"}]}})
    assert not OWNER.owns({"metadata": {}})
