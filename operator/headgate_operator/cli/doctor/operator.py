"""The operator: running, leading, and looking at what there is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Final

from headgate_operator.cli.doctor.case import Case, listed, name_of
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown, warning
from headgate_operator.cli.doctor.server import age
from headgate_operator.controller.lease import LEASES
from headgate_operator.kube.client import Greeting
from headgate_operator.kube.protocol import Object

_PATIENCE: Final = timedelta(minutes=2)
"""An object that is new or changed is looked at within a second; a fleet after a restart within a minute."""


async def check_operator(case: Case) -> list[Finding]:
    """Pods, Lease, and whether every ModelDeployment has been seen."""
    settings = case.settings
    lease = await case.api.get(LEASES, settings.lease_namespace, settings.lease_name)
    greeting = await case.api.greet()
    found = [
        judge_deployment(settings.namespace, settings.deployment),
        judge_lease(f"{settings.lease_namespace}/{settings.lease_name}", lease, greeting),
    ]
    if case.models is None:
        return [*found, unknown("whether it looks at ModelDeployments cannot be told", "ask for the right to list modeldeployments")]
    return [*found, judge_seen(case.models, greeting.date or greeting.answered)]


def judge_deployment(namespace: str, deployment: Object | None) -> Finding:
    """Say whether it runs, and which release."""
    if deployment is None:
        message = f"there is no Deployment headgate-operator in {namespace}"
        return unknown(
            message,
            "install it (docs/install.md), or say where it is with --operator-namespace; then defaults are assumed for its settings",
        )
    status = deployment.get("status") or {}
    if not status.get("availableReplicas"):
        return failed("the operator has no available replica", f"kubectl describe deployment -n {namespace} headgate-operator; and its log")
    release = str(deployment["spec"]["template"]["spec"]["containers"][0].get("image", "")).rpartition(":")[2]
    if release != version("headgate"):
        message = f"the operator runs as {release or 'an image without a version'}, this command is {version('headgate')}"
        return warning(message, "use the command of the operator's release: what it says of settings and definitions may not hold")
    return ok(f"the operator {release} runs with {status['availableReplicas']} replica(s)")


def judge_lease(full_name: str, lease: Object | None, greeting: Greeting) -> Finding:
    """Say whether somebody leads, and is alive."""
    if lease is None:
        return unknown(f"there is no Lease {full_name}", "is the operator running? With --no-leader-election there is none")
    spec = lease.get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    if not holder or not renewed:
        return failed(f"nobody holds the Lease {full_name}", "is the operator running? Its log says what it waits for")
    at, now = datetime.fromisoformat(renewed.replace("Z", "+00:00")).astimezone(UTC), greeting.date or greeting.answered
    if now - at > timedelta(seconds=int(spec.get("leaseDurationSeconds") or 15)):
        return failed(
            f"{holder} has not renewed the Lease {full_name} for {age(at, now)}", "the operator is gone or cannot reach the API server"
        )
    return ok(f"{holder} leads, and renewed its Lease {age(at, max(at, now))} ago")


def judge_seen(models: Sequence[Object], now: datetime) -> Finding:
    """Say whether the operator has looked at each ModelDeployment as it is."""
    if not models:
        return ok("there are no ModelDeployments yet")
    unseen = [name_of(model) for model in models if _unseen(model, now)]
    if unseen:
        message = f"the operator has not looked at {listed(unseen)} as it is now"
        return failed(message, "is it in a served namespace and shard (--namespace, --shard-selector)? The operator's log may name it")
    return ok(f"the operator has looked at all {len(models)} ModelDeployment(s)")


def _unseen(model: Object, now: datetime) -> bool:
    if (model.get("status") or {}).get("observedGeneration") == model["metadata"].get("generation"):
        return False
    changes = [entry.get("time") for entry in model["metadata"].get("managedFields") or () if not entry.get("subresource")]
    changed = max(filter(None, changes), default=model["metadata"].get("creationTimestamp"))
    return changed is None or now - datetime.fromisoformat(str(changed).replace("Z", "+00:00")) > _PATIENCE
