"""What the operator may do, against what it needs. The needs are those of manifests/rbac, where each has its reason; a test compares."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headgate_operator.cli.doctor.case import Case, listed
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown
from headgate_operator.kube.protocol import ApiError, Resource

_REVIEWS: Final = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview")
_OWN_REVIEWS: Final = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
_WHO: Final = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview")
_AT_ONCE: Final = 8
_FORBIDDEN: Final = 403


@dataclass(frozen=True)
class Need:
    """Verbs on one resource."""

    group: str
    resource: str
    """With its subresource, if that is meant."""
    verbs: tuple[str, ...]
    name: str = ""
    """Of the one object it is about; empty: all of them."""
    where: str = "served"
    """`served`: in every namespace that the operator serves; `cluster`: cluster-scoped; `lease`: in the namespace of its Lease."""


_ALL: Final = ("get", "list", "watch", "create", "patch", "delete")
NEEDS: Final = (
    Need("headgate.dev", "modeldeployments", ("get", "list", "watch", "patch")),
    Need("headgate.dev", "modeldeployments/status", ("update",)),
    Need("headgate.dev", "modeldeployments/finalizers", ("update",)),
    Need("serving.kserve.io", "inferenceservices", _ALL),
    Need("serving.kserve.io", "servingruntimes", ("get", "list", "create", "patch", "delete")),
    Need("gateway.networking.k8s.io", "httproutes", ("get", "list", "watch", "create", "patch")),
    Need("serving.kserve.io", "clusterservingruntimes", ("get",), where="cluster"),
    Need("apps", "deployments", ("get", "list")),
    Need("", "pods", ("list",)),
    Need("", "configmaps", ("get",)),
    Need("events.k8s.io", "events", ("create", "patch")),
    Need("apiextensions.k8s.io", "customresourcedefinitions", ("get",), name="modeldeployments.headgate.dev", where="cluster"),
    Need("coordination.k8s.io", "leases", ("create",), where="lease"),
    Need("coordination.k8s.io", "leases", ("get", "update"), name="headgate-operator", where="lease"),
)

Question = dict[str, str]


async def check_rights(case: Case) -> list[Finding]:
    """Ask the API server about each right of the operator's ServiceAccount."""
    settings = case.settings
    account = f"system:serviceaccount:{settings.namespace}:{settings.account}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{settings.namespace}", "system:authenticated"]
    subject: dict[str, Any] = {"user": account, "groups": groups}
    asked = list(questions(case))
    try:
        missing = await _missing(case, _REVIEWS, subject, asked)
    except ApiError as error:
        if error.status != _FORBIDDEN:
            raise
        if await _who(case) != account:
            remedy = (
                "ask somebody who may create subjectaccessreviews, or from inside: kubectl exec deploy/headgate-operator -- headgate doctor"
            )
            return [unknown(f"you may not ask what {account} may do", remedy)]
        missing = await _missing(case, _OWN_REVIEWS, {}, asked)
    return [judge(account, asked, missing)]


def questions(case: Case) -> Iterator[Question]:
    """Yield every right in the words of a review."""
    served = case.settings.namespaces or ("",)
    for need in NEEDS:
        namespaces = {"served": served, "cluster": ("",), "lease": (case.settings.lease_namespace,)}[need.where]
        resource, _, subresource = need.resource.partition("/")
        name = case.settings.lease_name if need.where == "lease" and need.name else need.name
        for namespace in namespaces:
            for verb in need.verbs:
                place = {"name": name, "namespace": namespace}
                yield {"verb": verb, "group": need.group, "resource": resource, "subresource": subresource, **place}


def judge(account: str, asked: list[Question], missing: list[Question]) -> Finding:
    """Say what is missing."""
    if not missing:
        return ok(f"{account} has all {len(asked)} rights that the operator needs")
    words = listed([in_words(one) for one in missing], 4)
    return failed(f"{account} may not {words}", "apply manifests/rbac (or manifests/rbac-namespaced and a RoleBinding in each namespace)")


def in_words(question: Question) -> str:
    """Write a right as `kubectl auth can-i` does: `patch httproutes.gateway.networking.k8s.io in ml`."""
    resource = "/".join(filter(None, (question["resource"], question["subresource"])))
    what = f"{resource}.{question['group']}" if question["group"] else resource
    name = f" {question['name']}" if question["name"] else ""
    return f"{question['verb']} {what}{name}" + (f" in {question['namespace']}" if question["namespace"] else "")


async def _missing(case: Case, review: Resource, subject: dict[str, Any], asked: list[Question]) -> list[Question]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def may(question: Question) -> bool:
        attributes = {key: value for key, value in question.items() if value}
        body = {
            "apiVersion": review.api_version, "kind": review.kind, "metadata": {}, "spec": {**subject, "resourceAttributes": attributes},
        }  # fmt: skip
        async with places:
            answer = await case.api.create(review, body)
        return bool((answer.get("status") or {}).get("allowed"))

    await may(asked[0])  # alone: whoever may not ask at all is told so once
    answers = await asyncio.gather(*map(may, asked))
    return [question for question, allowed in zip(asked, answers, strict=True) if not allowed]


async def _who(case: Case) -> str:
    answer = await case.api.create(_WHO, {"apiVersion": _WHO.api_version, "kind": _WHO.kind, "metadata": {}})
    return str(((answer.get("status") or {}).get("userInfo") or {}).get("username", ""))
