"""The ClusterRole grants what a rollout uses, and nothing that it does not."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from headgate_operator.api.names import COMMAND_ANNOTATION
from headgate_operator.controller import resources
from headgate_operator.controller.notes import EVENTS
from headgate_operator.kube.protocol import Resource
from headgate_operator.rollout.observed import Reading

KEY = ("ml", "flight-delay")
RBAC = Path(__file__).parents[3] / "manifests" / "rbac"
KINDS = {value.kind: value for value in vars(resources).values() if isinstance(value, Resource)} | {"Event": EVENTS}
VERBS = {
    "get": [("", "get")],
    "list": [("", "list")],
    "each": [("", "list")],
    "apply": [("", "patch"), ("", "create")],
    "patch": [("", "patch")],
    "create": [("", "create")],
    "delete": [("", "delete")],
    "replace_status": [("/status", "update")],
}
IN_KNATIVE_MODE = ("apps", "deployments", "list")
BEYOND = {
    ("headgate.dev", "modeldeployments/finalizers", "update"),  # ownerReferences with blockOwnerDeletion
    *(("headgate.dev", "modeldeployments", verb) for verb in ("list", "watch")),  # kopf
    IN_KNATIVE_MODE,
    *(("serving.kserve.io", "inferenceservices", verb) for verb in ("list", "watch")),
    *(("gateway.networking.k8s.io", "httproutes", verb) for verb in ("list", "watch")),
}


def granted() -> set[tuple[str, str, str]]:
    role = yaml.safe_load((RBAC / "clusterrole.yaml").read_text())
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def rights_used(world) -> set[tuple[str, str, str]]:
    return {(KINDS[kind].group, KINDS[kind].plural + suffix, right) for verb, kind, _ in world.api.calls for suffix, right in VERBS[verb]}


async def test_a_rollout_from_creation_to_deletion_uses_exactly_the_rights_of_the_cluster_role(world) -> None:
    await world.manifest(parity={"mode": "IfPresent", "golden": {"configMap": "golden"}})
    for _ in range(3):  # asks for its golden set, which does not exist
        await world.reconciler.look(KEY)
        await world.kserve()
    await world.manifest()
    await world.settle()
    await world.manifest(annotations={COMMAND_ANNOTATION: "abort@r00000000"})
    await world.settle()
    world.counters.reading = Reading()
    await world.manifest(uri="s3://models/flight-delay/2")
    await world.settle()
    await world.manifest()  # cancelled: drains and goes
    for minutes in (5, 60):
        await world.settle()
        world.clock.append(datetime.now(UTC) + timedelta(minutes=minutes))
        await world.settle()
    await world.reconciler.look(KEY)
    used = rights_used(world)
    assert used - granted() == set()
    # A second mention of an Event continues its series; that needs a repetition, which this rollout has none of.
    assert granted() - used - BEYOND <= {("events.k8s.io", "events", "patch")}


async def test_knative_mode_needs_one_more_to_know_revisions_by_their_deployments(world) -> None:
    await world.manifest(serving={"mode": "Knative"})
    for _ in range(4):
        await world.reconciler.look(KEY)
        await world.kserve()
    assert IN_KNATIVE_MODE in rights_used(world)
    assert rights_used(world) - granted() == set()


def test_the_lease_is_the_only_right_in_the_operators_own_namespace() -> None:
    role = yaml.safe_load((RBAC / "role.yaml").read_text())
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"leases"}
    assert {tuple(rule.get("resourceNames", ())) for rule in role["rules"]} == {(), ("headgate-operator",)}


def test_every_manifest_of_a_kustomization_exists_and_every_binding_names_what_exists() -> None:
    documents = []
    for folder in (RBAC, RBAC.parent / "operator"):
        for resource in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
            path = folder / resource
            assert path.exists(), path
            if path.is_file():
                documents += list(yaml.safe_load_all(path.read_text()))
    known = {(document["kind"], document["metadata"]["name"]) for document in documents}
    for document in documents:
        if document["kind"].endswith("Binding"):
            assert (document["roleRef"]["kind"], document["roleRef"]["name"]) in known
            assert all((subject["kind"], subject["name"]) in known for subject in document["subjects"])


def test_the_deployment_runs_without_privileges_and_with_flags_that_exist() -> None:
    from headgate_operator.controller.__main__ import main

    deployment = yaml.safe_load((RBAC.parent / "operator" / "deployment.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    flags = {option for parameter in main.params for option in parameter.opts}
    assert {argument.partition("=")[0] for argument in container["args"]} <= flags
    variables = {f"HEADGATE_{parameter.name.upper()}" for parameter in main.params}
    assert {entry["name"] for entry in container["env"] if entry["name"].startswith("HEADGATE_")} <= variables


def test_rights_in_some_namespaces_are_the_same_rights_and_cover_what_belongs_to_no_namespace() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which renders kustomizations, is not installed")
    folder = RBAC.parent / "rbac-namespaced"
    rendered = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True, timeout=300).stdout
    documents = list(yaml.safe_load_all(rendered))
    clusterwide = {doc["roleRef"]["name"] for doc in documents if doc["kind"] == "ClusterRoleBinding"}
    assert clusterwide == {"headgate-operator-clusterwide"}
    bound = {doc["roleRef"]["name"] for doc in documents if doc["kind"] == "RoleBinding"}
    assert bound == {"headgate-operator", "headgate-operator-lease"}
    rules = {doc["metadata"]["name"]: doc["rules"] for doc in documents if doc["kind"] == "ClusterRole"}
    unscoped = [
        rule for rule in rules["headgate-operator"] if {"clusterservingruntimes", "customresourcedefinitions"} & {*rule["resources"]}
    ]
    assert rules["headgate-operator-clusterwide"] == unscoped
