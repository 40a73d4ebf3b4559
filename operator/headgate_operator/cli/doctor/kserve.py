"""KServe: its release, its controller, its modes, and namespaces that it leaves alone."""

import json
import re
from typing import Any, Final

from headgate_operator.api.spec import ServingMode
from headgate_operator.cli.doctor.case import Case, listed, name_of
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown
from headgate_operator.controller.resources import CONFIG_MAPS, DEPLOYMENTS
from headgate_operator.kube.protocol import Object, Resource

KNATIVE: Final = Resource("serving.knative.dev", "v1", "services", "Service")
_NAMESPACES: Final = Resource("", "v1", "namespaces", "Namespace")
_CONTROLLER: Final = "control-plane=kserve-controller-manager"
_CONFIG: Final = "inferenceservice-config"
_OLDEST: Final = (0, 16)
"""Older ones do not know the mode's name `Standard`, and would take an InferenceService for one of their default mode."""
_LEGACY: Final = {"RawDeployment": "Standard", "Serverless": "Knative"}


async def check_kserve(case: Case) -> list[Finding]:
    """Release, controller and modes."""
    controllers = await case.api.list(DEPLOYMENTS, None, label_selector=_CONTROLLER)
    if not controllers:
        where = "no Deployment is labelled control-plane: kserve-controller-manager"
        return [unknown(f"KServe's controller was not found: {where}", "install KServe, or look after its controller yourself")]
    controller = controllers[0]
    config = await case.api.get(CONFIG_MAPS, controller["metadata"]["namespace"], _CONFIG)
    knative = await case.api.serves(KNATIVE)
    return [judge_release(controller), judge_running(controller), *judge_modes(config, case.models, knative=knative)]


async def check_namespaces(case: Case) -> list[Finding]:
    """KServe's webhook for pods passes over namespaces of control planes: models there start without their files."""
    if case.models is None:
        return [unknown("the ModelDeployments could not be listed", "ask for the right to list modeldeployments")]
    passed_over = []
    for name in case.namespaces:
        namespace = await case.api.get(_NAMESPACES, None, name)
        if "control-plane" in ((namespace or {}).get("metadata", {}).get("labels") or {}):
            passed_over.append(name)
    if passed_over:
        return [
            failed(
                f"KServe does not prepare pods in {listed(passed_over)}: the label control-plane makes its webhook pass over them",
                "move the ModelDeployments into namespaces of their own",
            )
        ]
    return [ok(f"KServe prepares pods in {listed(case.namespaces)}" if case.namespaces else "there are no ModelDeployments yet")]


def judge_release(controller: Object) -> Finding:
    """Read the release from the controller's image."""
    images = [container.get("image", "") for container in controller["spec"]["template"]["spec"]["containers"]]
    image = next((image for image in images if "kserve" in image), images[0])
    found = re.search(r":v?(\d+)\.(\d+)[^@/]*(@|$)", image)
    if found is None:
        return unknown(f"the release of KServe cannot be read from its image {image}", "it should be 0.16 or later")
    release = f"{found[1]}.{found[2]}"
    if (int(found[1]), int(found[2])) < _OLDEST:
        return failed(f"KServe {release} does not know the mode Standard by that name", "upgrade KServe to 0.16 or later")
    return ok(f"KServe {release}")


def judge_running(controller: Object) -> Finding:
    """Say whether the controller works."""
    available = (controller.get("status") or {}).get("availableReplicas") or 0
    if available:
        return ok(f"its controller {name_of(controller)} runs")
    return failed(f"its controller {name_of(controller)} has no available replica", f"kubectl describe deployment {_by_name(controller)}")


def judge_modes(config: Object | None, models: Any, *, knative: bool) -> list[Finding]:
    """Compare what KServe can with the modes that ModelDeployments ask for."""
    if config is None:
        return [unknown(f"the ConfigMap {_CONFIG} does not exist beside the controller", "reinstall KServe: it cannot start without it")]
    deploy, ingress = (_part(config, key) for key in ("deploy", "ingress"))
    default = str(deploy.get("defaultDeploymentMode") or "Standard")
    found = [ok(f"its default mode is {_LEGACY.get(default, default)}; Headgate always names the mode, so any will do")]
    wanting = [name_of(model) for model in models or () if (model["spec"].get("serving") or {}).get("mode") == ServingMode.KNATIVE]
    if wanting and not knative:
        remedy = "install Knative Serving, or let them use serving.mode: Standard (which needs a new object)"
        found.append(failed(f"{listed(wanting)} ask for mode Knative, which this cluster does not have", remedy))
    if (
        ingress.get("enableGatewayApi") is not True
        and not ingress.get("disableIngressCreation")
        and default in ("Standard", "RawDeployment")
    ):
        message = "KServe itself uses Ingress (enableGatewayApi is off); Headgate's routes do not depend on it"
        found.append(ok(message))
    return found


def _part(config: Object, key: str) -> dict[str, Any]:
    try:
        parsed = json.loads((config.get("data") or {}).get(key) or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _by_name(obj: Object) -> str:
    return f"-n {obj['metadata']['namespace']} {obj['metadata']['name']}"
