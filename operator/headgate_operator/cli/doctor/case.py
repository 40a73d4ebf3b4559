"""What every check may look at: the API server, HTTP servers, the operator's settings and the ModelDeployments there are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from headgate_operator.cli.doctor.settings import OperatorSettings
from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.protocol import Object

_LARGEST: Final = 4_000_000


class UnheardError(Exception):
    """A server could not be asked; the message says why. `resolved` is False if its name means nothing here."""

    def __init__(self, message: str, *, resolved: bool = True) -> None:
        super().__init__(message)
        self.resolved = resolved


@dataclass(frozen=True)
class Answer:
    """What an HTTP server said."""

    status: int
    body: bytes

    @property
    def json(self) -> Mapping[str, Any]:
        """The JSON object in it; empty if it is none."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One examination of one installation."""

    api: KubeClient
    http: aiohttp.ClientSession
    settings: OperatorSettings
    models: Sequence[Object] | None
    """The ModelDeployments that are asked about; None if they could not be listed."""

    @property
    def namespaces(self) -> list[str]:
        """Namespaces of the ModelDeployments."""
        return sorted({str(model["metadata"]["namespace"]) for model in self.models or ()})

    async def ask(self, url: str, query: Mapping[str, str] | None = None) -> Answer:
        """GET; UnheardError if there is no answer. Redirects are not followed, and no credentials are sent."""
        try:
            async with self.http.get(url, params=query, allow_redirects=False) as response:
                return Answer(response.status, await response.content.read(_LARGEST))
        except aiohttp.ClientConnectorDNSError as error:
            raise UnheardError(f"the name {error.host} means nothing here", resolved=False) from error
        except TimeoutError as error:
            raise UnheardError(f"no answer from {url} in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UnheardError(" ".join(str(error).split()) or type(error).__name__) from error


def name_of(obj: Object) -> str:
    """Return `namespace/name`."""
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def listed(names: Sequence[str], shown: int = 5) -> str:
    """Return names for a message: not more than a few of them."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown])}{more}"


def true_condition(obj: Object, kind: str) -> bool | None:
    """Return whether a condition is True at the object's generation; None if nobody has said so yet."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            current = condition.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0)
            return bool(condition.get("status") == "True") if current else None
    return None
