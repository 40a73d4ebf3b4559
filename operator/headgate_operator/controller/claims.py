"""Every HTTPRoute that takes all requests of a hostname, as the watch tells: so that nobody has to list them to find a rival.

A watch may miss a deletion, so a rival is read afresh before anybody is told of it. Only routes in the namespaces that the operator serves
are known.
"""

from collections.abc import Iterable
from typing import Final

from headgate_operator.api.spec import Gateway
from headgate_operator.controller.resources import HTTP_ROUTES
from headgate_operator.kserve.claims import Claim, read_claim, winner
from headgate_operator.kube.protocol import KubeApi, Object

Key = tuple[str, str]

_MOST_RIVALS: Final = 10
"""So many routes that turn out to be gone or changed are read in one look; the next look goes on."""


class Claims:
    """Routes by hostname, and which ModelDeployments care for one."""

    def __init__(self) -> None:
        self._claims: dict[Key, Claim] = {}
        self._claimed = _Index()
        self._asked: dict[Key, frozenset[str]] = {}
        self._askers = _Index()

    def heard(self, route: Object, *, gone: bool = False) -> set[Key]:
        """Take note of a route, and return the ModelDeployments that may see another winner now."""
        key = (route["metadata"]["namespace"], route["metadata"]["name"])
        before, now = self._claims.get(key), None if gone else read_claim(route)
        if before == now:
            return set()
        self._drop(key)
        if now is not None:
            self._claims[key] = now
            self._claimed.add(key, now.hostnames)
        touched = (before.hostnames if before else frozenset()) | (now.hostnames if now else frozenset())
        return self._askers.of(touched) - {key}

    async def taken(self, api: KubeApi, key: Key, *, gateway: Gateway, hostnames: tuple[str, ...], route: Object | None) -> str | None:
        """Say which route gets the requests of a ModelDeployment's hostnames instead of its own, if one does."""
        self._ask(key, frozenset(hostnames))
        since = route["metadata"].get("creationTimestamp") if route is not None else None
        for _ in range(_MOST_RIVALS):
            claims = (self._claims[found] for found in self._claimed.of(hostnames))
            rival = winner(claims, gateway=gateway, hostnames=hostnames, own=key, since=since)
            if rival is None:
                return None
            live = await api.get(HTTP_ROUTES, rival.namespace, rival.name)
            if live is not None and read_claim(live) == rival:
                return _told(rival, gateway, hostnames)
            if live is not None:
                self.heard(live)
            else:
                self._drop((rival.namespace, rival.name))
        return None

    def forget(self, key: Key) -> None:
        """Drop a ModelDeployment that is gone."""
        self._ask(key, frozenset())

    def _ask(self, key: Key, hostnames: frozenset[str]) -> None:
        before = self._asked.pop(key, frozenset())
        if hostnames:
            self._asked[key] = hostnames
        if before != hostnames:
            self._askers.remove(key, before)
            self._askers.add(key, hostnames)

    def _drop(self, key: Key) -> None:
        claim = self._claims.pop(key, None)
        if claim is not None:
            self._claimed.remove(key, claim.hostnames)


class _Index:
    """Keys by hostname; hostnames that nobody has are not kept."""

    def __init__(self) -> None:
        self._keys: dict[str, set[Key]] = {}

    def of(self, hostnames: Iterable[str]) -> set[Key]:
        return {key for hostname in hostnames for key in self._keys.get(hostname, ())}

    def add(self, key: Key, hostnames: Iterable[str]) -> None:
        for hostname in hostnames:
            self._keys.setdefault(hostname, set()).add(key)

    def remove(self, key: Key, hostnames: Iterable[str]) -> None:
        for hostname in hostnames:
            keys = self._keys.get(hostname, set())
            keys.discard(key)
            if not keys:
                self._keys.pop(hostname, None)


def _told(rival: Claim, gateway: Gateway, hostnames: Iterable[str]) -> str:
    shared = ", ".join(sorted(rival.hostnames & set(hostnames)))
    return (
        f"the HTTPRoute {rival.namespace}/{rival.name} has {shared} on the gateway {gateway.namespace}/{gateway.name} already and gets the "
        "requests: choose others in spec.serving.hostnames, or delete that route"
    )
