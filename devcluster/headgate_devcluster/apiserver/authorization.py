"""Whether somebody may do something: RBAC, from the Roles and bindings that are stored in the server itself.

Left out: aggregated ClusterRoles, impersonation, and the check that nobody grants more than he has.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from headgate_devcluster.apiserver.authentication import ANONYMOUS, MASTERS, User
from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.store import Store

RBAC: Final = "rbac.authorization.k8s.io"
_PUBLIC: Final = frozenset({"/healthz", "/livez", "/readyz", "/version"})


def allowed(user: User, call: Call, store: Store) -> bool:
    """Say whether a user may make a call."""
    return MASTERS in user.groups or any(_covers(rule, call) for rule in _rules(user, call.namespace, store))


def require_allowed(user: User, call: Call, store: Store) -> None:
    """Refuse with 403 what no rule allows, in the words of the real server."""
    if allowed(user, call, store):
        return
    qualified = f"{call.resource}.{call.group}" if call.group else call.resource
    subject = f'{qualified} "{call.name}"' if call.name else qualified
    where = f'in the namespace "{call.namespace}"' if call.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {call.verb} resource "{call.path}" in API group "{call.group}" {where}'
    details = {name: value for name, value in (("name", call.name), ("group", call.group), ("kind", call.resource)) if value}
    raise Refusal(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def require_readable(user: User, path: str) -> None:
    """Refuse with 403 discovery and the like to nobody; everyone who says who he is may see it."""
    if user == ANONYMOUS and path.rstrip("/") not in _PUBLIC:
        raise Refusal(403, "Forbidden", f'forbidden: User "{user.name}" cannot get path "{path}"', {})


def _rules(user: User, namespace: str, store: Store) -> Iterator[Object]:
    """Yield the rules that bind a user in a namespace; for cluster-scoped calls only ClusterRoleBindings count."""
    bindings = store.items((RBAC, "clusterrolebindings"))
    if namespace:
        bindings = [*bindings, *store.items((RBAC, "rolebindings"), namespace)]
    for binding in bindings:
        place = binding["metadata"].get("namespace", "")
        if any(_is(subject, user, place) for subject in binding.get("subjects") or ()):
            role = binding["roleRef"]
            plural, home = ("clusterroles", "") if role["kind"] == "ClusterRole" else ("roles", place)
            found = store.get((RBAC, plural), (home, role["name"]))
            yield from (found or {}).get("rules") or ()


def _is(subject: Object, user: User, namespace: str) -> bool:
    match subject["kind"]:
        case "ServiceAccount":
            return user.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"
        case "Group":
            return subject["name"] in user.groups
        case _:
            return bool(subject["name"] == user.name)


def _covers(rule: Object, call: Call) -> bool:
    names, resources = rule.get("resourceNames"), rule.get("resources") or ()
    return (
        _lists(rule.get("verbs") or (), call.verb)
        and _lists(rule.get("apiGroups") or (), call.group)
        and (_lists(resources, call.path) or bool(call.subresource and f"*/{call.subresource}" in resources))
        and (not names or call.name in names)
    )


def _lists(told: Sequence[str], wanted: str) -> bool:
    return wanted in told or "*" in told
