"""Where models are read from: claims that exist, accounts that exist and carry credentials. Secrets are never read, not even their names.

Whether a credential is right only the storage knows; KServe's storage initializer says so in the pod that waits for it.
"""

from collections.abc import Iterator
from typing import Final

from headgate_operator.cli.doctor.case import Case, listed
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown, warning
from headgate_operator.kube.protocol import Object, Resource

CLAIMS: Final = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
_CLOUD: Final = frozenset({"s3", "gs", "abfs", "abfss", "az", "hdfs", "webhdfs"})
_IDENTITIES: Final = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id")


async def check_storage(case: Case) -> list[Finding]:
    """Look at what stands behind every model URI in use."""
    if case.models is None:
        return [unknown("the ModelDeployments could not be listed", "ask for the right to list modeldeployments")]
    claims: dict[tuple[str, str], None] = {}
    accounts: dict[tuple[str, str], list[str]] = {}
    others: dict[str, None] = {}
    for model in case.models:
        namespace = str(model["metadata"]["namespace"])
        for uri in dict.fromkeys(uris(model)):
            scheme, _, rest = uri.partition("://")
            if scheme == "pvc":
                claims[namespace, rest.partition("/")[0]] = None
            elif scheme in _CLOUD:
                account = str((model["spec"].get("predictor") or {}).get("serviceAccountName") or "default")
                accounts.setdefault((namespace, account), []).append(uri)
            else:
                others[scheme] = None
    found = [judge_claim(namespace, name, await case.api.get(CLAIMS, namespace, name)) for namespace, name in claims]
    found += [judge_account(*key, used, await case.api.get(ACCOUNTS, *key)) for key, used in accounts.items()]
    found += [judge_scheme(scheme) for scheme in others]
    return found or [ok("no model URI is in use yet")]


def uris(model: Object) -> Iterator[str]:
    """Yield the URIs that a ModelDeployment serves, tries or asks for."""
    status = model.get("status") or {}
    pinned = [(status.get(role) or {}).get("modelUri") for role in ("stable", "candidate", "previous")]
    yield from filter(None, [*pinned, model["spec"]["model"].get("uri")])


def judge_claim(namespace: str, name: str, claim: Object | None) -> Finding:
    """Say whether a volume is there."""
    full = f"{namespace}/{name}"
    if claim is None:
        return failed(f"the PersistentVolumeClaim {full} does not exist", "create it, or correct spec.model.uri")
    phase = (claim.get("status") or {}).get("phase", "Pending")
    if phase == "Bound":
        return ok(f"the PersistentVolumeClaim {full} is bound")
    message = f"the PersistentVolumeClaim {full} is {phase}"
    return warning(
        message, f"with a class that waits for its first pod that is as it should be; else kubectl describe pvc -n {namespace} {name}"
    )


def judge_account(namespace: str, name: str, used: list[str], account: Object | None) -> Finding:
    """Say whether the pods' account can have credentials for an object store."""
    full, models = f"{namespace}/{name}", listed(sorted(set(used)), 2)
    if account is None:
        return failed(
            f"the ServiceAccount {full}, which reads {models}, does not exist", "create it, or correct predictor.serviceAccountName"
        )
    annotations = account["metadata"].get("annotations") or {}
    if identity := next((key for key in _IDENTITIES if annotations.get(key)), None):
        return ok(f"the ServiceAccount {full} reads {models} as {annotations[identity]}")
    if account.get("secrets"):
        return ok(f"the ServiceAccount {full}, which reads {models}, has Secrets attached")
    return warning(
        f"the ServiceAccount {full}, which reads {models}, has neither Secrets nor a cloud identity",
        "fine for public buckets and nodes with a role of their own; else attach a Secret as KServe's documentation on storage says",
    )


def judge_scheme(scheme: str) -> Finding:
    """Say what is known of other places."""
    if scheme == "file":
        return unknown(
            "models at file:// are on a node's disk, which nobody can look at from here", "use pvc://, s3:// or https:// in production"
        )
    return ok(f"models at {scheme}:// need no account of the cluster")
