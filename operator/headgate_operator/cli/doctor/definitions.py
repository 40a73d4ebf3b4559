"""The kinds of objects that Headgate needs: its own, in this release's form, KServe's and the Gateway API's."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from headgate_operator.api.crd import root_schema
from headgate_operator.api.names import VERSION
from headgate_operator.cli.doctor.case import Case, listed
from headgate_operator.cli.doctor.findings import Finding, failed, ok, warning
from headgate_operator.controller.installed import NAME, REMEDY, missing_fields
from headgate_operator.controller.resources import (
    CLUSTER_SERVING_RUNTIMES,
    CRDS,
    HTTP_ROUTES,
    INFERENCE_SERVICES,
    MODEL_DEPLOYMENTS,
    SERVING_RUNTIMES,
)
from headgate_operator.kube.protocol import Object

_OTHERS = {
    INFERENCE_SERVICES: "install KServe: https://kserve.github.io/website",
    SERVING_RUNTIMES: "install KServe: https://kserve.github.io/website",
    CLUSTER_SERVING_RUNTIMES: "install KServe: https://kserve.github.io/website",
    HTTP_ROUTES: "install the Gateway API: https://gateway-api.sigs.k8s.io",
}


async def check_definitions(case: Case) -> list[Finding]:
    """Every kind is served; ours has the fields of this release."""
    if not await case.api.serves(MODEL_DEPLOYMENTS):
        own = failed(f"the cluster does not serve {NAME}/{VERSION}", REMEDY)
    else:
        own = judge_own(await case.api.get(CRDS, None, NAME))
    return [own, *[await _other(case, resource, remedy) for resource, remedy in _OTHERS.items()]]


async def _other(case: Case, resource: Any, remedy: str) -> Finding:
    name = f"{resource.plural}.{resource.group}/{resource.version}"
    return ok(f"{name} is served") if await case.api.serves(resource) else failed(f"the cluster does not serve {name}", remedy)


def judge_own(installed: Object | None) -> Finding:
    """Compare the installed definition with this release's, field by field."""
    schema = _schema(installed or {})
    older = list(islice(missing_fields(schema), 4))
    if older:
        return failed(f"the installed {NAME} is older than this release: it does not know {listed(older, 3)}", REMEDY)
    newer = list(islice(_unknown(root_schema(), schema, ""), 4))
    if newer:
        message = f"the installed {NAME} is newer than this command: it has {listed(newer, 3)}"
        return warning(message, "use the `headgate` of that release; an operator of this one ignores those fields")
    return ok(f"{NAME}/{VERSION} is that of this release")


def _unknown(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of fields that only the installed schema has, the outermost only."""
    if "properties" in ours:
        for name, schema in (theirs.get("properties") or {}).items():
            where = f"{path}.{name}" if path else name
            if name in ours["properties"]:
                yield from _unknown(ours["properties"][name], schema, where)
            else:
                yield where
    if isinstance(ours.get("items"), Mapping) and isinstance(theirs.get("items"), Mapping):
        yield from _unknown(ours["items"], theirs["items"], f"{path}[]")


def _schema(installed: Object) -> Mapping[str, Any]:
    for version in installed.get("spec", {}).get("versions", ()):
        if version.get("name") == VERSION:
            schema: Mapping[str, Any] = version.get("schema", {}).get("openAPIV3Schema", {})
            return schema
    return {}
