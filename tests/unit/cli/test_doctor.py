"""The judgements of `headgate doctor`, one by one. tests/integration/test_doctor.py has whole installations."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_operator.api.crd import crd
from headgate_operator.cli.doctor import definitions, gateway, kserve, monitors, operator, rights, server, storage
from headgate_operator.cli.doctor.case import Answer
from headgate_operator.cli.doctor.examine import CHECKS
from headgate_operator.cli.doctor.findings import Finding, Level
from headgate_operator.cli.doctor.prometheus import judge_answer, judge_samples
from headgate_operator.cli.doctor.registries import judge_alias
from headgate_operator.cli.doctor.settings import UnreadableSettingsError, settings_of
from headgate_operator.kube.client import Greeting

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def answer(body: str, status: int = 200) -> Answer:
    return Answer(status, body.encode())


def rules_of(*files: str) -> set[tuple[str, str, str, str]]:
    roles = [yaml.safe_load((ROOT / "manifests" / "rbac" / file).read_text()) for file in files]
    return {
        (group, resource, verb, name)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def test_the_rights_asked_for_are_those_of_the_manifests() -> None:
    needed = {(need.group, need.resource, verb, need.name) for need in rights.NEEDS for verb in need.verbs}
    assert needed == rules_of("clusterrole.yaml", "role.yaml")


def test_every_check_is_in_the_docs_in_its_order() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text()
    documented = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert documented == list(CHECKS)


def test_settings_are_read_as_the_operator_reads_them() -> None:
    variables = {
        "HEADGATE_GATEWAY": "infra/public", "HEADGATE_PROMETHEUS": "http://p:9090", "HEADGATE_PROMETHEUS_SCRAPE_INTERVAL": "1m",
        "HEADGATE_NAMESPACE": "ml search", "HEADGATE_LEADER_ELECTION": "false", "HEADGATE_LEASE_NAMESPACE": "ops", "PATH": "/bin",
    }  # fmt: skip
    told = settings_of(["--gateway=kserve/other", "--shard-selector", "team=a"], variables, namespace="headgate-system")
    assert (told.gateway, told.prometheus, told.scrape_interval) == ("kserve/other", "http://p:9090", 60.0)
    assert (told.namespaces, told.lease_namespace, told.lease_name) == (("ml", "search"), "ops", "headgate-operator-team-a")
    with pytest.raises(UnreadableSettingsError, match="--of-a-later-release"):
        settings_of(["--of-a-later-release"], {}, namespace="headgate-system")


@pytest.mark.parametrize(
    ("version", "level"), [("v1.35.4", "ok"), ("v1.30.0-eks-1", "ok"), ("v1.29.14", "failed"), ("1.31+", "ok"), ("", "unknown")]
)
def test_the_cluster_must_be_new_enough(version: str, level: str) -> None:
    assert server.judge_version(version).level == level


@pytest.mark.parametrize(
    ("ahead", "took", "level"),
    [(0.0, 0.1, "ok"), (1.9, 0.1, "ok"), (-2.5, 0.1, "ok"), (-4.0, 0.1, "warning"), (5.0, 0.1, "warning"), (5.0, 4.0, "ok")],
)
def test_clocks_are_doubted_only_beyond_what_whole_seconds_and_a_slow_answer_explain(ahead: float, took: float, level: str) -> None:
    asked, answered = NOW, NOW + timedelta(seconds=took)
    finding = server.judge_clock(Greeting("v1.35.4", NOW + timedelta(seconds=ahead), asked, answered))
    assert finding.level == level, finding.message
    assert server.judge_clock(Greeting("v1.35.4", None, asked, answered)).level is Level.UNKNOWN


def test_a_definition_is_compared_field_by_field_in_both_directions() -> None:
    assert definitions.judge_own(crd()).level is Level.OK
    newer = crd()
    newer["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["bandit"] = {"type": "object"}
    assert definitions.judge_own(newer) == definitions.warning(
        "the installed modeldeployments.headgate.dev is newer than this command: it has spec.bandit",
        "use the `headgate` of that release; an operator of this one ignores those fields",
    )
    assert definitions.judge_own(None).level is Level.FAILED


def controller(image: str, available: int = 1) -> dict[str, Any]:
    containers = [{"image": "gcr.io/kubebuilder/kube-rbac-proxy:v0.18.0"}, {"image": image}]
    spec = {"template": {"spec": {"containers": containers}}}
    return {"metadata": {"name": "c", "namespace": "kserve"}, "spec": spec, "status": {"availableReplicas": available}}


@pytest.mark.parametrize(
    ("image", "level"),
    [
        ("kserve/kserve-controller:v0.20.0", "ok"),
        ("mirror:5000/kserve/kserve-controller:v0.15.2", "failed"),
        ("kserve/kserve-controller:v0.21.0-rc1@sha256:00", "ok"),
        ("kserve/kserve-controller:latest", "unknown"),
        ("kserve/kserve-controller@sha256:00", "unknown"),
    ],
)
def test_the_release_of_kserve_is_that_of_its_own_image(image: str, level: str) -> None:
    assert kserve.judge_release(controller(image)).level == level


def test_a_knative_mode_without_knative_is_found() -> None:
    config = {"data": {"deploy": '{"defaultDeploymentMode": "Serverless"}', "ingress": "{not json"}}
    model = {"metadata": {"name": "m", "namespace": "ml"}, "spec": {"serving": {"mode": "Knative"}}}
    found = kserve.judge_modes(config, [model], knative=False)
    assert [finding.level for finding in found] == ["ok", "failed"]
    assert "default mode is Knative" in found[0].message
    assert [finding.level for finding in kserve.judge_modes(config, [model], knative=True)] == ["ok"]
    assert kserve.judge_modes(None, [], knative=True)[0].level is Level.UNKNOWN


def a_gateway(*sources: str | None, conditions: list[Any] | None = None) -> dict[str, Any]:
    listeners = [{"protocol": "HTTP", **({"allowedRoutes": {"namespaces": {"from": source}}} if source else {})} for source in sources]
    metadata = {"name": "g", "namespace": "kserve", "generation": 2}
    return {"metadata": metadata, "spec": {"gatewayClassName": "eg", "listeners": listeners}, "status": {"conditions": conditions or []}}


@pytest.mark.parametrize(
    ("sources", "namespaces", "level"),
    [
        (["All"], ["ml"], "ok"),
        (["Same", "All"], ["ml"], "ok"),
        ([None], ["ml"], "failed"),
        (["Same"], ["kserve"], "ok"),
        (["Selector"], ["ml"], "unknown"),
        ([], ["ml"], "failed"),
    ],
)
def test_listeners_must_take_routes_from_the_namespaces_of_the_models(sources: list[str], namespaces: list[str], level: str) -> None:
    assert gateway.judge_listeners("kserve/g", a_gateway(*sources), namespaces).level == level


def test_what_a_controller_said_of_an_earlier_generation_says_nothing() -> None:
    conditions = [{"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "Programmed")]
    assert gateway.judge_gateway("kserve/g", a_gateway("All", conditions=conditions)).level is Level.UNKNOWN
    current = [{**one, "observedGeneration": 2} for one in conditions]
    assert gateway.judge_gateway("kserve/g", a_gateway("All", conditions=current)).level is Level.OK


def test_a_gateway_that_counts_otherwise_than_the_presets_read_is_a_warning() -> None:
    accepted = [{"type": "Accepted", "status": "True", "observedGeneration": 1}]
    istio = {"metadata": {"name": "istio"}, "spec": {"controllerName": "istio.io/gateway-controller"}, "status": {"conditions": accepted}}
    assert gateway.judge_class(a_gateway("All"), istio, series="EnvoyGateway").level is Level.WARNING
    assert gateway.judge_class(a_gateway("All"), istio, series="Istio").level is Level.OK


def samples(count: float) -> Answer:
    return answer(f'{{"status": "success", "data": {{"result": [{{"metric": {{}}, "value": [1, "{count}"]}}]}}}}')


@pytest.mark.parametrize(("count", "level"), [(40, "ok"), (20, "warning"), (38, "ok"), (1, "unknown")])
def test_counters_must_be_scraped_as_often_as_the_operator_believes(count: float, level: str) -> None:
    assert judge_samples("http://p", "EnvoyGateway", samples(count), 15.0).level == level


@pytest.mark.parametrize("body", ["", "[]", '{"status": "success"}', '{"status": "success", "data": {"result": []}}'])
def test_counters_that_are_not_there_are_unknown(body: str) -> None:
    assert judge_samples("http://p", "EnvoyGateway", answer(body), 15.0).level is Level.UNKNOWN


def test_a_server_that_wants_credentials_is_unknown_and_one_that_is_another_has_failed() -> None:
    assert judge_answer("http://p", answer("", 401)).level is Level.UNKNOWN
    assert judge_answer("http://p", answer("<html>")).level is Level.FAILED
    assert judge_alias("http://m", "n", "a", answer("", 403)).level is Level.UNKNOWN
    assert judge_alias("http://m", "n", "a", answer("<html>")).level is Level.FAILED


def test_storage_asks_for_what_each_kind_of_uri_needs() -> None:
    account = {"metadata": {"name": "models", "annotations": {"eks.amazonaws.com/role-arn": "arn:1"}}}
    assert storage.judge_account("ml", "models", ["s3://a/1"], account).level is Level.OK
    assert storage.judge_account("ml", "models", ["s3://a/1"], {"metadata": {}, "secrets": [{"name": "s"}]}).level is Level.OK
    assert storage.judge_account("ml", "default", ["s3://a/1"], {"metadata": {}}).level is Level.WARNING
    assert storage.judge_account("ml", "models", ["s3://a/1"], None).level is Level.FAILED
    assert storage.judge_claim("ml", "models", None).level is Level.FAILED
    assert storage.judge_claim("ml", "models", {"status": {"phase": "Bound"}}).level is Level.OK
    assert storage.judge_claim("ml", "models", {"status": {"phase": "Pending"}}).level is Level.WARNING
    assert storage.judge_scheme("https").level is Level.OK
    assert storage.judge_scheme("file").level is Level.UNKNOWN


def test_an_operator_that_left_objects_unseen_for_minutes_has_failed() -> None:
    fresh = {"generation": 2, "name": "a", "namespace": "ml", "creationTimestamp": (NOW - timedelta(seconds=5)).isoformat()}
    old = {**fresh, "name": "b", "creationTimestamp": (NOW - timedelta(hours=1)).isoformat()}
    seen = {"metadata": {**old, "name": "c"}, "status": {"observedGeneration": 2}}
    assert operator.judge_seen([{"metadata": fresh}, seen], NOW).level is Level.OK
    finding = operator.judge_seen([{"metadata": old}, seen], NOW)
    assert (finding.level, "ml/b" in finding.message) == (Level.FAILED, True)
    assert operator.judge_lease("x/y", None, Greeting("", NOW, NOW, NOW)).level is Level.UNKNOWN


def test_only_models_that_ask_for_it_need_a_monitor() -> None:
    assert monitors.is_watched({"spec": {"drift": {}}})
    assert not monitors.is_watched({"spec": {"retraining": {"pipeline": {}}}})
    assert monitors.judge("http://m", answer("", 503)) == Finding(
        Level.FAILED, "the drift monitor http://m answers HTTP 503 to /healthz", "look at its pod's log"
    )
