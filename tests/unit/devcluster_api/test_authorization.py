"""RBAC: who may do what, by the Roles and bindings in the store, and the sentence for who may not."""

from dataclasses import replace
from typing import Any

import pytest

from headgate_devcluster.apiserver.authentication import ADMINISTRATOR, ANONYMOUS, Tokens, User, service_account
from headgate_devcluster.apiserver.authorization import allowed, require_allowed, require_readable
from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.errors import Refusal

OPERATOR = service_account("system", "operator")
PATCH = Call(verb="patch", group="apps", resource="deployments", namespace="ml", name="web")


def role(kind: str, namespace: str = "", **rule: Any) -> dict[str, Any]:
    metadata = {"name": "r"} | ({"namespace": namespace} if namespace else {})
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]} | rule]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules}


def binding(kind: str, of: str, subject: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {"name": "b"} | ({} if kind.startswith("Cluster") else {"namespace": "ml"})
    subjects = [subject or {"kind": "ServiceAccount", "name": "operator", "namespace": "system"}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": of, "name": "r"}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "subjects": subjects, "roleRef": reference}


def may(api: Any, call: Call = PATCH, user: User = OPERATOR) -> bool:
    return allowed(user, call, api.store)


def test_nobody_may_anything_and_the_administrator_everything(api: Any) -> None:
    assert not may(api)
    assert may(api, user=ADMINISTRATOR)


def test_a_cluster_binding_counts_everywhere_and_a_role_binding_in_its_namespace(api: Any) -> None:
    api.create(role("ClusterRole"))
    api.create(binding("RoleBinding", "ClusterRole"))
    elsewhere = [replace(PATCH, namespace="other"), replace(PATCH, namespace="")]
    assert [may(api, call) for call in (PATCH, *elsewhere)] == [True, False, False]
    api.create(binding("ClusterRoleBinding", "ClusterRole"))
    assert [may(api, call) for call in (PATCH, *elsewhere)] == [True, True, True]


def test_a_role_counts_only_through_a_binding_of_its_namespace(api: Any) -> None:
    api.create(role("Role", "ml"))
    assert not may(api)
    api.create(binding("RoleBinding", "Role"))
    assert may(api)


@pytest.mark.parametrize(
    ("rule", "change", "yes"),
    [
        ({}, {"verb": "get"}, False),
        ({}, {"group": ""}, False),
        ({}, {"subresource": "status"}, False),
        ({"resources": ["deployments/status"]}, {"subresource": "status"}, True),
        ({"resources": ["*/status"]}, {"subresource": "status"}, True),
        ({"resources": ["*"], "apiGroups": ["*"], "verbs": ["*"]}, {"verb": "delete", "subresource": "x"}, True),
        ({"resourceNames": ["web"]}, {}, True),
        ({"resourceNames": ["web"]}, {"name": "other"}, False),
        ({"resourceNames": ["web"]}, {"name": ""}, False),
    ],
)
def test_a_rule_covers_verb_group_resource_and_name(api: Any, rule: dict[str, Any], change: dict[str, str], yes: bool) -> None:
    api.create(role("ClusterRole", **rule))
    api.create(binding("ClusterRoleBinding", "ClusterRole"))
    assert may(api, replace(PATCH, **change)) is yes


@pytest.mark.parametrize(
    ("subject", "yes"),
    [
        ({"kind": "Group", "name": "system:serviceaccounts:system"}, True),
        ({"kind": "Group", "name": "system:masters"}, False),
        ({"kind": "User", "name": "system:serviceaccount:system:operator"}, True),
        ({"kind": "ServiceAccount", "name": "operator", "namespace": "ml"}, False),
    ],
)
def test_a_binding_names_accounts_users_and_groups(api: Any, subject: dict[str, Any], yes: bool) -> None:
    api.create(role("ClusterRole"))
    api.create(binding("ClusterRoleBinding", "ClusterRole", subject))
    assert may(api) is yes


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            PATCH,
            'deployments.apps "web" is forbidden: User "system:serviceaccount:system:operator" cannot patch resource "deployments" '
            'in API group "apps" in the namespace "ml"',
        ),
        (
            Call(verb="list", group="", resource="nodes"),
            'nodes is forbidden: User "system:serviceaccount:system:operator" cannot list resource "nodes" in API group "" '
            "at the cluster scope",
        ),
        (
            Call(verb="update", group="headgate.dev", resource="modeldeployments", subresource="status", namespace="ml", name="m"),
            'modeldeployments.headgate.dev "m" is forbidden: User "system:serviceaccount:system:operator" cannot update resource '
            '"modeldeployments/status" in API group "headgate.dev" in the namespace "ml"',
        ),
    ],
)
def test_a_refusal_is_the_sentence_of_the_real_server(api: Any, call: Call, sentence: str) -> None:
    with pytest.raises(Refusal) as caught:
        require_allowed(OPERATOR, call, api.store)
    assert (caught.value.code, str(caught.value)) == (403, sentence)


def test_nobody_sees_health_only() -> None:
    require_readable(ANONYMOUS, "/readyz")
    require_readable(OPERATOR, "/apis")
    with pytest.raises(Refusal, match='forbidden: User "system:anonymous" cannot get path "/apis"'):
        require_readable(ANONYMOUS, "/apis")


def test_a_token_names_its_account_until_it_ends_or_the_account_is_gone(api: Any) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": "ml"}}
    created = api.create(account)
    tokens = Tokens(api.store.has_uid)
    answer = tokens.issue(created, {})
    token = answer["status"]["token"]
    assert tokens.user(f"Bearer {token}") == service_account("ml", "operator")
    assert tokens.user("") == ANONYMOUS
    assert tokens.user(f"Bearer {tokens.administrator}") == ADMINISTRATOR
    over = tokens.issue(created, {"spec": {"expirationSeconds": -1}})["status"]["token"]
    tampered = token[:-1] + ("0" if token[-1] != "0" else "1")
    api.delete(created)
    for bad in (f"Bearer {token}", f"Bearer {over}", f"Bearer {tampered}", "Bearer x", "Bearer ", "Basic eDp5"):
        with pytest.raises(Refusal, match="Unauthorized") as caught:
            tokens.user(bad)
        assert caught.value.code == 401
