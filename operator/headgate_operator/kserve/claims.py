"""Who else takes the requests of a hostname on a gateway.

Real gateways accept every route. Of two that match the same requests the older one gets them all, and nothing in the status of the younger
one says so; so routes are compared here, as the Gateway API ranks them: by age, then by namespace and name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headgate_operator.api.spec import Gateway

_EVERYTHING: Final = {"path": {"type": "PathPrefix", "value": "/"}}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One HTTPRoute that takes every request of its hostnames."""

    namespace: str
    name: str
    since: str
    """Its creationTimestamp; these sort like the times they stand for."""
    gateways: frozenset[tuple[str, str]]
    """Namespace and name of each."""
    hostnames: frozenset[str]


def read_claim(route: Mapping[str, Any]) -> Claim | None:
    """Return what a route claims; None if it takes only some paths or requests of its hostnames, which people do on purpose."""
    metadata, spec = route["metadata"], route.get("spec") or {}
    rules: Iterable[Mapping[str, Any]] = spec.get("rules") or ({},)
    if not any(_takes_everything(rule) for rule in rules):
        return None
    gateways = (
        (parent.get("namespace") or metadata["namespace"], parent.get("name", ""))
        for parent in spec.get("parentRefs") or ()
        if parent.get("kind", "Gateway") == "Gateway"
    )
    return Claim(
        namespace=metadata["namespace"],
        name=metadata["name"],
        since=metadata.get("creationTimestamp") or "",
        gateways=frozenset(gateways),
        hostnames=frozenset(spec.get("hostnames") or ()),
    )


def winner(claims: Iterable[Claim], *, gateway: Gateway, hostnames: Iterable[str], own: tuple[str, str], since: str | None) -> Claim | None:
    """Return the route that gets the requests of one of our hostnames instead of ours, if there is one.

    `own` is the namespace and name of our route, `since` when it was created, None if it does not exist yet: then every other is older.
    """
    wanted, place = frozenset(hostnames), (gateway.namespace, gateway.name)
    rivals = (
        claim
        for claim in claims
        if (claim.namespace, claim.name) != own and place in claim.gateways and wanted & claim.hostnames
    )  # fmt: skip
    older = (claim for claim in rivals if since is None or (claim.since, f"{claim.namespace}/{claim.name}") < (since, "/".join(own)))
    return min(older, key=lambda claim: (claim.since, claim.namespace, claim.name), default=None)


def _takes_everything(rule: Mapping[str, Any]) -> bool:
    matches = rule.get("matches") or (_EVERYTHING,)
    return any({"path": _EVERYTHING["path"]} | dict(match) == _EVERYTHING for match in matches)
