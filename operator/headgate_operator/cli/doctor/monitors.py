"""The drift monitors of namespaces whose models are watched for drift."""

from typing import Final

from headgate_operator.cli.doctor.case import Answer, Case, UnheardError, listed
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown
from headgate_operator.cli.doctor.reach import not_heard
from headgate_operator.kube.protocol import Object

_WATCHED: Final = ("drift", "groundTruth")


async def check_monitors(case: Case) -> list[Finding]:
    """Ask the monitor of each such namespace whether it lives."""
    if case.models is None:
        return [unknown("the ModelDeployments could not be listed", "ask for the right to list modeldeployments")]
    namespaces = sorted({str(model["metadata"]["namespace"]) for model in case.models if is_watched(model)})
    if not namespaces:
        return [ok("no ModelDeployment asks for a drift monitor")]
    if case.settings.monitor is None:
        remedy = "install manifests/monitor and start the operator with --monitor http://headgate-monitor.{{namespace}}.svc"
        return [failed(f"models in {listed(namespaces)} are to be watched for drift, and the operator knows no monitor", remedy)]
    return [await _one(case, namespace, case.settings.monitor) for namespace in namespaces]


def is_watched(model: Object) -> bool:
    """Whether a ModelDeployment asks for drift, labels or retraining."""
    triggers = (model["spec"].get("retraining") or {}).get("on")
    return bool(triggers) or any(part in model["spec"] for part in _WATCHED)


async def _one(case: Case, namespace: str, address: str) -> Finding:
    url = address.replace("{{namespace}}", namespace).rstrip("/")
    try:
        return judge(url, await case.ask(f"{url}/healthz"))
    except UnheardError as error:
        return not_heard(f"the drift monitor {url}", error)


def judge(url: str, answer: Answer) -> Finding:
    """Say whether it works."""
    if answer.status == 200:
        return ok(f"the drift monitor {url} works")
    return failed(f"the drift monitor {url} answers HTTP {answer.status} to /healthz", "look at its pod's log")
