"""Our own rules of security, and that what belongs together agrees, in everything that manifests/overlays installs."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_monitor.__main__ import main as monitor
from headgate_operator.controller.__main__ import main as operator
from tests.overlays import (
    INSTALLATIONS,
    KUBECTL,
    MANIFESTS,
    NEEDS_KUBECTL,
    OVERLAYS,
    POLICED,
    Object,
    breaches,
    kustomized,
    of_kind,
    pods,
    rendered,
)

pytestmark = pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)
PROGRAMS = {"headgate-operator": (operator, "HEADGATE_"), "headgate-monitor": (monitor, "HEADGATE_MONITOR_")}
PAGE = MANIFESTS.parent / "docs" / "install.md"


@pytest.fixture(params=INSTALLATIONS)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return rendered(request.param)


def place(obj: Object) -> str:
    namespace: str = obj["metadata"].get("namespace", "")
    return namespace


def test_every_pod_obeys_the_rules(objects: list[Object]) -> None:
    found = {name: list(breaches(pod)) for name, pod in pods(objects)}
    assert found
    assert not any(found.values()), found


@pytest.mark.parametrize("change", ["pod", "container", "image", "resources", "probe", "volume", "network"])
def test_a_pod_that_breaks_a_rule_is_found(change: str) -> None:
    ((_, pod),) = pods(of_kind(rendered("monitor"), "StatefulSet"))
    broken = yaml.safe_load(yaml.safe_dump(pod))
    container = broken["containers"][0]
    match change:
        case "pod":
            del broken["securityContext"]["seccompProfile"]
        case "container":
            container["securityContext"]["capabilities"] = {"drop": ["ALL"], "add": ["NET_ADMIN"]}
        case "image":
            container["image"] = "ghcr.io/headgate/headgate-monitor"
        case "resources":
            del container["resources"]["limits"]
        case "probe":
            del container["livenessProbe"]
        case "volume":
            broken["volumes"].append({"name": "host", "hostPath": {"path": "/"}})
        case "network":
            broken["hostNetwork"] = True
    assert len(list(breaches(broken))) == 1


def test_only_the_operator_has_a_token_of_the_cluster_and_every_account_exists(objects: list[Object]) -> None:
    accounts = {(place(obj), obj["metadata"]["name"]) for obj in of_kind(objects, "ServiceAccount")}
    for obj in of_kind(objects, *POLICED):
        pod = obj["spec"]["template"]["spec"]
        assert (place(obj), pod["serviceAccountName"]) in accounts
        assert pod.get("automountServiceAccountToken", True) == (obj["metadata"]["name"] == "headgate-operator")
        assert pod["enableServiceLinks"] is False, "variables of Services could be taken for options"


def test_no_right_is_a_wildcard_or_reads_secrets(objects: list[Object]) -> None:
    for role in of_kind(objects, "ClusterRole", "Role"):
        for rule in role["rules"]:
            assert not {"*", "secrets"} & {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}, role["metadata"]["name"]


def matches(selector: Object, labels: Object) -> bool:
    """Whether a label selector, of the expressions only `Exists`, selects these labels."""
    expressions = selector.get("matchExpressions", ())
    assert all(expression["operator"] == "Exists" for expression in expressions)
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(one["key"] in labels for one in expressions)


def selected(objects: list[Object], namespace: str, selector: Object) -> list[Object]:
    return [
        obj
        for obj in of_kind(objects, *POLICED)
        if place(obj) == namespace and matches(selector, obj["spec"]["template"]["metadata"]["labels"])
    ]


def ports(workload: Object) -> dict[str, int]:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return {port["name"]: port["containerPort"] for port in container["ports"]}


def test_workloads_services_monitors_and_budgets_select_what_is_meant_by_ports_that_exist(objects: list[Object]) -> None:
    for obj in of_kind(objects, *POLICED):
        assert selected(objects, place(obj), obj["spec"]["selector"]) == [obj]
        (container,) = obj["spec"]["template"]["spec"]["containers"]
        assert {f"--{flag}=0.0.0.0:{ports(obj)['http']}" for flag in ("address", "health-address")} & {*container["args"]}
        assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} <= ports(obj).keys()
    for service in of_kind(objects, "Service"):
        (target,) = selected(objects, place(service), {"matchLabels": service["spec"]["selector"]})
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports(target).keys()
    elsewhere = {"headgate-serving", "headgate-gateway", "headgate-kubeflow"}  # pods that KServe, Envoy Gateway and Kubeflow make
    for scraped in (obj for obj in of_kind(objects, "PodMonitor") if obj["metadata"]["name"] not in elsewhere):
        (target,) = selected(objects, place(scraped), scraped["spec"]["selector"])
        assert {endpoint["port"] for endpoint in scraped["spec"]["podMetricsEndpoints"]} <= ports(target).keys()
    for scraped in of_kind(objects, "ServiceMonitor"):
        found = [obj for obj in of_kind(objects, "Service") if matches(scraped["spec"]["selector"], obj["metadata"]["labels"])]
        (names,) = [{port["name"] for port in obj["spec"]["ports"]} for obj in found if place(obj) == place(scraped)]
        assert {endpoint["port"] for endpoint in scraped["spec"]["endpoints"]} <= names
    for budget in of_kind(objects, "PodDisruptionBudget"):
        (target,) = selected(objects, place(budget), budget["spec"]["selector"])
        assert target["spec"]["replicas"] > budget["spec"]["minAvailable"], "no node could be drained"


def test_every_pod_has_a_network_policy_for_both_directions_and_opens_only_its_ports(objects: list[Object]) -> None:
    policies = of_kind(objects, "NetworkPolicy")
    for policy in policies:
        (target,) = selected(objects, place(policy), policy["spec"]["podSelector"])
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy["spec"]["ingress"]:
            assert rule["from"], "an empty list is everybody"
            assert {port["port"] for port in rule["ports"]} <= {*ports(target).values()}
        for rule in policy["spec"]["egress"]:
            open_to_all = {port["port"] for port in rule["ports"]} if "to" not in rule else set()
            assert open_to_all <= {443, 6443}, "only the API server, which no selector can name"
    for workload in of_kind(objects, *POLICED):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert [one for one in policies if place(one) == place(workload) and matches(one["spec"]["podSelector"], labels)]


def test_options_and_variables_of_every_program_exist_and_what_they_read_is_there(objects: list[Object]) -> None:
    settings = {obj["metadata"]["name"]: obj["data"] for obj in of_kind(objects, "ConfigMap")}
    for workload in of_kind(objects, *POLICED):
        program, prefix = PROGRAMS[workload["metadata"]["name"]]
        pod = workload["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert {argument.partition("=")[0] for argument in container["args"]} <= {name for option in program.params for name in option.opts}
        variables = {entry["name"] for entry in container["env"]}
        variables |= {key for source in container.get("envFrom", ()) for key in settings[source["configMapRef"]["name"]]}
        known = {str(option.envvar or f"{prefix}{(option.name or '').upper()}") for option in program.params}
        assert {name for name in variables if name.startswith(prefix)} <= known
        mounted = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", ())}
        claims = workload["spec"].get("volumeClaimTemplates", ())
        assert mounted.keys() == {volume["name"] for volume in pod.get("volumes", ())} | {one["metadata"]["name"] for one in claims}
        files = [argument.partition("=")[2] for argument in container["args"] if "token-file" in argument or "--state" in argument]
        assert all(any(file.startswith(path) for path in mounted.values()) for file in files)


@pytest.mark.parametrize("overlay", [name for name in OVERLAYS if name != "monitor"])
def test_operator_and_monitor_find_each_other_and_both_policies_let_them(overlay: str) -> None:
    objects = rendered(overlay)
    if not of_kind(objects, "StatefulSet"):
        objects = [*objects, *rendered("monitor")]
    (settings,) = of_kind(objects, "ConfigMap")
    (service,) = of_kind(objects, "Service")
    (deployment,), (stateful,) = of_kind(objects, "Deployment"), of_kind(objects, "StatefulSet")
    address = settings["data"]["HEADGATE_MONITOR"].replace("{{namespace}}", place(service))
    assert address == f"http://{service['metadata']['name']}.{place(service)}.svc"
    assert [port["port"] for port in service["spec"]["ports"]] == [80]
    asking, asked = (one["spec"]["template"]["metadata"]["labels"] for one in (deployment, stateful))
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind(objects, "NetworkPolicy")}
    assert peers(policies["headgate-operator"]["egress"], "to", asked, place(stateful)) == {ports(stateful)["http"]}
    assert peers(policies["headgate-monitor"]["ingress"], "from", asking, place(deployment)) == {ports(stateful)["http"]}
    if overlay == "namespaced":
        assert settings["data"]["HEADGATE_NAMESPACE"] == place(stateful)


def peers(rules: list[Object], side: str, labels: Object, namespace: str) -> set[Any]:
    """The ports at which a pod with these labels is reached, by rules that select pods of other namespaces."""
    where = {"kubernetes.io/metadata.name": namespace}
    return {
        port["port"]
        for rule in rules
        for peer in rule.get(side, ())
        if "podSelector" in peer and "namespaceSelector" in peer
        if matches(peer["podSelector"], labels) and matches(peer["namespaceSelector"], where)
        for port in rule.get("ports", ())
    }


def test_a_gitops_tool_never_deletes_the_definition_or_the_namespace_and_has_both_first() -> None:
    objects = rendered("gitops")
    kept = of_kind(objects, "CustomResourceDefinition", "Namespace")
    assert len(kept) == 2
    for obj in kept:
        annotations = obj["metadata"]["annotations"]
        assert {"Prune=false", "Delete=false"} <= {*annotations["argocd.argoproj.io/sync-options"].split(",")}
        assert int(annotations["argocd.argoproj.io/sync-wave"]) < 0
        assert annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    (runtime,) = of_kind(objects, "ClusterServingRuntime")
    assert runtime["metadata"]["annotations"]["serving.kserve.io/server-type"] == "headgate-serving", "annotations of its own stay"
    assert [without_annotations(obj) for obj in objects] == [without_annotations(obj) for obj in rendered("ha")]


def without_annotations(obj: Object) -> Object:
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "annotations"}}


def test_the_kind_overlay_fits_its_cluster_and_pulls_no_image_of_ours() -> None:
    objects = rendered("kind")
    (node,) = yaml.safe_load((MANIFESTS.parent / "kind-config.yaml").read_text())["nodes"]
    (proxy,), (gateway,), (volume,) = (of_kind(objects, kind) for kind in ("EnvoyProxy", "Gateway", "PersistentVolume"))
    service = proxy["spec"]["provider"]["kubernetes"]["envoyService"]
    assert (service["type"], place(proxy)) == ("NodePort", place(gateway))
    (port,), (listener,) = service["patch"]["value"]["spec"]["ports"], gateway["spec"]["listeners"]
    assert (port["port"], port["nodePort"]) == (listener["port"], node["extraPortMappings"][0]["containerPort"])
    assert gateway["spec"]["infrastructure"]["parametersRef"]["name"] == proxy["metadata"]["name"]
    assert volume["spec"]["hostPath"]["path"] == node["extraMounts"][0]["containerPath"]
    (settings,) = of_kind(objects, "ConfigMap")
    assert settings["data"]["HEADGATE_GATEWAY"] == f"{place(gateway)}/{gateway['metadata']['name']}"
    containers = [container for _, pod in pods(objects) for container in pod["containers"]]
    assert [container["imagePullPolicy"] for container in containers] == ["Never"] * 3


def test_every_component_is_offered_by_an_overlay_and_changes_it() -> None:
    offered = "".join(path.read_text() for path in (MANIFESTS / "overlays").glob("**/kustomization.yaml"))
    assert all(f"/components/{path.name}" in offered for path in (MANIFESTS / "components").iterdir())
    kinds = {obj["kind"] for name in INSTALLATIONS if "everything" in name for obj in rendered(name)}
    assert {"PodMonitor", "ServiceMonitor", "PodDisruptionBudget"} <= kinds
    for name in OVERLAYS:
        assert "secretName" not in str(rendered(name))
        assert "secretName" in str(rendered(f"{name} with everything")), "the token's Secret is mounted"


def test_the_page_about_installing_names_every_overlay_and_its_own_one_can_be_built(tmp_path: Path) -> None:
    page = PAGE.read_text()
    assert sorted({*re.findall(r"apply --server-side -k manifests/overlays/([a-z-]+)", page)}) == OVERLAYS
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shutil.copytree(MANIFESTS, tmp_path / "headgate" / "manifests")
    (tmp_path / "kustomization.yaml").write_text(example)
    objects = kustomized(tmp_path)
    (settings,) = of_kind(objects, "ConfigMap")
    assert settings["data"].items() >= {"HEADGATE_DOMAIN": "models.example.org", "HEADGATE_PROMETHEUS_SERIES": "EnvoyGateway"}.items()
    assert len(of_kind(objects, "PodMonitor")) == 1
