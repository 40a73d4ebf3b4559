"""One snapshot: fresh, complete, and no more expensive than this pass needs."""

import pytest

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.api.reasons import Reason
from headgate_operator.controller.observe import UnreadableError
from headgate_operator.controller.resources import (
    CLUSTER_SERVING_RUNTIMES,
    INFERENCE_SERVICES,
    MODEL_DEPLOYMENTS,
    SERVING_RUNTIMES,
)
from headgate_operator.rollout.observed import Reading

KEY = ("ml", "flight-delay")


async def test_an_object_that_is_gone_gives_nothing(world) -> None:
    assert await world.observer.observe(KEY) is None


async def test_the_first_look_finds_the_wanted_revision_and_no_children(world) -> None:
    await world.manifest(uri="s3://models/flight-delay/7-abc/")
    snapshot = await world.snapshot()
    wanted = snapshot.observed.wanted
    assert (wanted.version, wanted.problem) == ("7-abc", None)
    assert wanted.rendered is not None
    assert wanted.rendered.serving_runtime["metadata"]["name"] == wanted.isvc
    assert snapshot.observed.services == {}
    assert snapshot.observed.route is None
    assert snapshot.hostnames == ("flight-delay.ml.example.com",)
    assert snapshot.observed.url == "http://flight-delay.ml.example.com"


async def test_a_missing_runtime_is_a_problem_of_the_revision_told_in_words(world) -> None:
    model = {"uri": "s3://m/1", "format": {"name": "xgboost"}, "runtime": "absent"}
    await world.manifest(model=model)
    wanted = (await world.snapshot()).observed.wanted
    assert wanted.rendered is None
    reason, message = wanted.problem
    assert reason is Reason.RUNTIME_MISSING
    assert "neither a ServingRuntime absent in namespace ml nor a ClusterServingRuntime" in message


async def test_a_runtime_of_the_namespace_comes_before_one_of_the_cluster(world) -> None:
    own = await world.admin.get(CLUSTER_SERVING_RUNTIMES, None, "headgate-xgboost")
    own = {
        "apiVersion": own["apiVersion"],
        "kind": "ServingRuntime",
        "metadata": {"name": "headgate-xgboost", "namespace": "ml"},
        "spec": own["spec"],
    }
    own["spec"]["containers"][0]["image"] = "our-own"
    await world.admin.create(SERVING_RUNTIMES, own)
    await world.manifest()
    rendered = (await world.snapshot()).observed.wanted.rendered
    assert rendered.serving_runtime["spec"]["containers"][0]["image"] == "our-own"


async def test_a_revision_that_was_rendered_before_is_not_rendered_again(world) -> None:
    await world.manifest()
    await world.settle()
    runtime = await world.admin.get(CLUSTER_SERVING_RUNTIMES, None, "headgate-xgboost")
    await world.admin.delete(CLUSTER_SERVING_RUNTIMES, "", "headgate-xgboost", uid=runtime["metadata"]["uid"])
    world.api.calls.clear()
    snapshot = await world.snapshot()
    assert snapshot.observed.wanted.problem is None
    assert snapshot.observed.wanted.rendered == snapshot.observed.status.history[0].rendered
    assert not [call for call in world.api.calls if call[1] == "ClusterServingRuntime"]


async def test_children_with_our_label_that_no_status_mentions_are_found(world) -> None:
    await world.manifest()
    uid = (await world.get(MODEL_DEPLOYMENTS))["metadata"]["uid"]
    owner = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "name": KEY[1], "uid": uid, "controller": True}
    metadata = {"name": "forgotten", "namespace": "ml", "labels": {OWNER_LABEL: KEY[1]}, "ownerReferences": [owner]}
    model = {"modelFormat": {"name": "xgboost"}, "storageUri": "s3://x"}
    await world.admin.create(
        INFERENCE_SERVICES,
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": metadata,
            "spec": {"predictor": {"model": model}},
        },
    )
    services = (await world.snapshot()).observed.services
    assert services["forgotten"].ours
    assert services["forgotten"].available_replicas == 0


async def test_metrics_are_read_only_while_two_versions_share_the_traffic(world) -> None:
    await world.manifest()
    await world.settle()
    await world.snapshot()
    assert world.counters.asked == 0
    world.counters.reading = Reading()
    await world.manifest(uri="s3://models/flight-delay/2")
    await world.settle()
    assert (await world.status()).candidate.weight == 5
    world.counters.asked = 0
    assert (await world.snapshot()).observed.reading == Reading()
    assert world.counters.asked == 1


@pytest.mark.parametrize("world", ["no rules"], indirect=True)
async def test_a_rule_that_an_older_crd_let_through_is_a_problem_of_the_revision(world) -> None:
    crds = next(one for one in (await world.admin.list(_crds(), None)) if one["metadata"]["name"].startswith("modeldeployments"))
    for version in crds["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    await world.admin.replace(_crds(), crds)
    await _raw(world, {"model": {"uri": "models:/x/1", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}})
    reason, message = (await world.snapshot()).observed.wanted.problem
    assert reason is Reason.INVALID_SPEC
    assert "spec.model.uri: models:/ and mlflow-artifacts: URIs cannot be read by KServe" in message
    await _raw(world, {"model": "nonsense"})
    with pytest.raises(UnreadableError, match="is the installed CRD that of this release"):
        await world.snapshot()
    assert await world.reconciler.look(KEY) == "error"


async def _raw(world, spec) -> None:
    obj = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": KEY[1], "namespace": "ml"}, "spec": spec}
    await world.admin.apply(MODEL_DEPLOYMENTS, obj, field_manager="person")


def _crds():
    from headgate_operator.kube.protocol import Resource

    return Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
