"""The model registries that manifests follow: there, and with the alias."""

from headgate_operator.cli.doctor.case import Answer, Case, UnheardError, name_of
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown
from headgate_operator.cli.doctor.reach import not_heard

_ALIAS = "/api/2.0/mlflow/registered-models/alias"


async def check_registries(case: Case) -> list[Finding]:
    """Ask each registry for each alias that a ModelDeployment follows."""
    if case.models is None:
        return [unknown("the ModelDeployments could not be listed", "ask for the right to list modeldeployments")]
    followed = {
        (registry["trackingURI"].rstrip("/"), registry["name"], registry["alias"]): name_of(model)
        for model in case.models
        if (registry := model["spec"]["model"].get("registry")) and registry.get("trackingURI")
    }
    if not followed:
        return [ok("no ModelDeployment follows a model registry")]
    return [await _one(case, server, model, alias, who) for (server, model, alias), who in sorted(followed.items())]


async def _one(case: Case, server: str, model: str, alias: str, who: str) -> Finding:
    try:
        answer = await case.ask(f"{server}{_ALIAS}", {"name": model, "alias": alias})
    except UnheardError as error:
        return not_heard(f"the model registry {server}, which {who} follows,", error)
    return judge_alias(server, model, alias, answer)


def judge_alias(server: str, model: str, alias: str, answer: Answer) -> Finding:
    """Say what an answer of MLflow means."""
    if answer.status == 200 and isinstance(answer.json.get("model_version"), dict):
        return ok(f"the alias {alias} of {model} at {server} is version {answer.json['model_version'].get('version')}")
    if answer.status in (401, 403):
        message = f"the model registry {server} answers HTTP {answer.status}: it wants credentials, which this command does not send"
        return unknown(
            message, "see --token-file of the operator, and RegistryUnavailable in docs/runbook.md; MLflow refuses unknown hosts, too"
        )
    if answer.json.get("error_code") in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
        return failed(
            f"the model registry {server} has no alias {alias} of {model}",
            "register a version with that alias; nothing is rolled out before",
        )
    return failed(f"{server} does not answer as MLflow does (HTTP {answer.status})", "is spec.model.registry.trackingURI right?")
