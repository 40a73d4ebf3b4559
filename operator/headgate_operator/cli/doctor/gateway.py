"""The gateways that routes are attached to: accepted, programmed, and open to the namespaces of the models."""

from typing import Any, Final

from headgate_operator.cli.doctor.case import Case, listed, true_condition
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown, warning
from headgate_operator.kube.protocol import NotFoundError, Object, Resource

GATEWAYS: Final = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
GATEWAY_CLASSES: Final = Resource("gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass")
_ENVOY_GATEWAY: Final = "gateway.envoyproxy.io/gatewayclass-controller"


async def check_gateway(case: Case) -> list[Finding]:
    """The operator's own gateway, and every other one that a ModelDeployment names."""
    named = {case.settings.gateway} | {name for model in case.models or () if (name := _named(model))}
    return [finding for name in sorted(named) for finding in await _one(case, name)]


async def _one(case: Case, full_name: str) -> list[Finding]:
    namespace, _, name = full_name.partition("/")
    gateway = await case.api.get(GATEWAYS, namespace, name)
    if gateway is None:
        return [failed(f"the Gateway {full_name} does not exist", "create it, or name another with --gateway or spec.serving.gateway")]
    try:
        gateway_class = await case.api.get(GATEWAY_CLASSES, None, str(gateway["spec"].get("gatewayClassName")))
    except NotFoundError:  # not even the kind
        gateway_class = None
    served = [model["metadata"]["namespace"] for model in case.models or () if (_named(model) or case.settings.gateway) == full_name]
    return [
        judge_class(gateway, gateway_class, series=case.settings.series if not case.settings.envoys else None),
        judge_gateway(full_name, gateway),
        judge_listeners(full_name, gateway, sorted(set(served))),
    ]


def judge_class(gateway: Object, gateway_class: Object | None, *, series: str | None) -> Finding:
    """Say whether some controller looks after gateways of this class, and one whose counters can be read."""
    name = gateway["spec"].get("gatewayClassName")
    if gateway_class is None:
        return unknown(
            f"the GatewayClass {name} does not exist", "install a gateway controller, such as Envoy Gateway, and its GatewayClass"
        )
    if true_condition(gateway_class, "Accepted") is not True:
        return failed(f"no controller has accepted the GatewayClass {name}", f"kubectl describe gatewayclass {name}")
    controller = str(gateway_class["spec"].get("controllerName"))
    if series == "EnvoyGateway" and controller != _ENVOY_GATEWAY:
        message = f"gateways of class {name} are {controller}'s, but the presets read Envoy Gateway's counters"
        return warning(message, "set --prometheus-series to what this gateway counts, or give each metric queries of its own")
    return ok(f"the GatewayClass {name} is accepted by {controller}")


def judge_gateway(full_name: str, gateway: Object) -> Finding:
    """Say whether it takes requests."""
    look = f"kubectl describe gateway -n {gateway['metadata']['namespace']} {gateway['metadata']['name']}"
    for kind, what in (("Accepted", "accepted"), ("Programmed", "programmed")):
        told = true_condition(gateway, kind)
        if told is None:
            return unknown(f"nobody says whether the Gateway {full_name} is {what}", f"is its controller running? {look}")
        if not told:
            return failed(f"the Gateway {full_name} is not {what}: {_why(gateway, kind)}", look)
    return ok(f"the Gateway {full_name} is programmed")


def judge_listeners(full_name: str, gateway: Object, namespaces: list[str]) -> Finding:
    """Say whether routes in the models' namespaces may be attached to a listener."""
    listeners = [listener for listener in gateway["spec"].get("listeners") or () if listener.get("protocol") in ("HTTP", "HTTPS")]
    if not listeners:
        return failed(f"the Gateway {full_name} has no HTTP or HTTPS listener", "add one: routes of models are HTTPRoutes")
    sources = {_allowed(listener) for listener in listeners}
    home = gateway["metadata"]["namespace"]
    foreign = [namespace for namespace in namespaces if namespace != home]
    if "All" in sources or not (foreign or "Selector" in sources):
        return ok(f"its listeners take routes from {listed(namespaces) if namespaces else 'every namespace' if 'All' in sources else home}")
    if "Selector" in sources:
        return unknown(
            "its listeners take routes from namespaces with some labels",
            f"compare allowedRoutes.namespaces.selector with the labels of {listed(foreign) if foreign else 'the namespaces of models'}",
        )
    return failed(
        f"its listeners take no routes from {listed(foreign)}", "set allowedRoutes.namespaces.from: All, or Selector, on a listener"
    )


def _allowed(listener: dict[str, Any]) -> str:
    return str(((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from") or "Same")


def _why(obj: Object, kind: str) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((str(one.get("message") or one.get("reason")) for one in conditions if one.get("type") == kind), "no reason given")


def _named(model: Object) -> str | None:
    gateway = (model["spec"].get("serving") or {}).get("gateway")
    return f"{gateway['namespace']}/{gateway['name']}" if gateway and gateway.get("namespace") else None
