"""Which URLs a manifest may have the operator ask: metric providers, hooks, monitors, whatever a manifest names.

Whoever may write a ModelDeployment does not thereby get to ask, from the operator's place in the network, what it can reach and they
cannot: its own loopback, a cloud's metadata service, the admin ports of nodes. Addresses that the operator is started with are not asked
about here. Use: `settings.allowed.refusal(url)` right before every request to an address from a manifest; a sentence means: do not ask.

URLs are read by yarl, the parser of the client that sends the request: two parsers could disagree about whose host it is. Names are
judged, not what they resolve to. Never follow a redirect: it leads to an address that nobody judged.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

CLUSTER: Final = "cluster"
"""The word for everything inside of the cluster; what is allowed unless the operator is told otherwise."""

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SERVICE: Final = re.compile(rf"[a-z]([-a-z0-9]*[a-z0-9])?\.{_LABEL}|({_LABEL}\.)+svc(\.{_LABEL})*")
"""A Service starts with a letter: `127.1` and `0x7f.1` are addresses to a resolver."""

_PRIVATE: Final = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
"""Where pods and Services have their addresses. Not loopback, not link-local: 169.254.169.254 hands out credentials of nodes."""


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """One allowed beginning of URLs."""

    scheme: str
    host: str
    """A name; `*.example.com` for all names below it; `*` for every host."""
    port: int | None
    """None: any."""
    path: str
    """Without a slash at its end; what follows it must begin with one."""

    def covers(self, url: URL) -> bool:
        """Whether the URL begins so, in whole parts: `/a` covers `/a` and `/a/b`, not `/ab`."""
        host = url.host or ""
        same_host = self.host in ("*", host) or (self.host.startswith("*.") and host.endswith(self.host[1:]))
        same_path = url.path == self.path or (url.path.startswith(f"{self.path}/") and ".." not in url.path.split("/"))
        return url.scheme == self.scheme and same_host and self.port in (None, url.port) and same_path


@dataclass(frozen=True)
class AllowList:
    """What the operator was told with --allow-url."""

    prefixes: tuple[Prefix, ...] = ()
    cluster: bool = True
    """Whether Services and private addresses are allowed, on all ports and paths."""

    def refusal(self, url: str) -> str | None:
        """Say why a URL out of a manifest must not be asked; None if it may."""
        try:
            parsed = URL(url)
        except ValueError as error:
            return f"{url!r} is no URL: {error}"
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return f"{url!r} must begin with http:// or https:// and a host"
        if parsed.user is not None or parsed.password is not None:
            return f"the URL of the host {parsed.host} has a user or password in it; credentials do not belong into manifests"
        if any(prefix.covers(parsed) for prefix in self.prefixes) or (self.cluster and _inside(parsed.host)):
            return None
        return f"{url!r} is not among the URLs that the operator may ask ({self}); its administrator can add it with --allow-url"

    def __str__(self) -> str:
        """Write the list as its flags say it."""
        words = [CLUSTER] if self.cluster else []
        for prefix in self.prefixes:
            port = "" if prefix.port is None else f":{prefix.port}"
            words.append(f"{prefix.scheme}://{prefix.host}{port}{prefix.path}")
        return ", ".join(words) or "none"


def parse_allow_list(texts: Sequence[str]) -> AllowList:
    """Read the values of --allow-url; nothing given means `cluster`. ValueError with what is allowed."""
    if not texts:
        return AllowList()
    return AllowList(tuple(_prefix(text) for text in texts if text != CLUSTER), cluster=CLUSTER in texts)


_PREFIX: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\*|(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\s]*)?"
)


def _prefix(text: str) -> Prefix:
    match = _PREFIX.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no beginning of URLs: write {CLUSTER} (Services and private addresses), or such as "
            "https://hooks.example.com/headgate, https://*.example.com or http://10.0.0.7:9090; lower case; without a port any is allowed"
        )
    port = int(match["port"]) if match["port"] else None
    return Prefix(scheme=match["scheme"], host=match["host"].strip("[]"), port=port, path=(match["path"] or "").rstrip("/"))


def _inside(host: str) -> bool:
    """Whether a host is in the cluster: `<service>.<namespace>`, with or without `.svc…`, or a private address.

    A public name of two labels, such as example.com, looks the same as a Service and passes: who must keep it out writes prefixes.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _SERVICE.fullmatch(host.rstrip(".")) is not None
    return any(address in network for network in _PRIVATE)
