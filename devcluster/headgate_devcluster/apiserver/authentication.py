"""Who makes a request: the administrator, a ServiceAccount by its token, or nobody (`system:anonymous`)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.objects import Object, to_json

_DEFAULT_SECONDS: Final = 3600
_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
AUTHENTICATED: Final = "system:authenticated"
MASTERS: Final = "system:masters"


@dataclass(frozen=True)
class User:
    """Who somebody is, in the words of RBAC."""

    name: str
    groups: frozenset[str]


ADMINISTRATOR: Final = User("kubernetes-admin", frozenset({MASTERS, AUTHENTICATED}))
ANONYMOUS: Final = User("system:anonymous", frozenset({"system:unauthenticated"}))


def service_account(namespace: str, name: str) -> User:
    """Return a ServiceAccount as a user."""
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED}
    return User(f"system:serviceaccount:{namespace}:{name}", frozenset(groups))


@dataclass
class Tokens:
    """The bearer tokens of one server. They are worth nothing to the next one: `exists` says whether an account (its uid) still does."""

    exists: Callable[[str], bool]
    administrator: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def issue(self, account: Object, request: Object) -> Object:
        """Answer a TokenRequest for a ServiceAccount."""
        metadata = account["metadata"]
        spec = request.get("spec") or {}
        ends = int(time.time()) + int(spec.get("expirationSeconds") or _DEFAULT_SECONDS)
        claims = {"sub": [metadata["namespace"], metadata["name"]], "uid": metadata["uid"], "exp": ends}
        signed = f"{_encoded(_HEADER)}.{_encoded(claims)}"
        expires = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {name: metadata[name] for name in ("name", "namespace")},
            "spec": {"expirationSeconds": _DEFAULT_SECONDS} | spec,
            "status": {"token": f"{signed}.{self._signature(signed)}", "expirationTimestamp": expires},
        }

    def user(self, authorization: str) -> User:
        """Return who an Authorization header is; 401 for a token that is not, or no longer, ours."""
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return ANONYMOUS
        if scheme.lower() == "bearer" and secrets.compare_digest(token.encode(), self.administrator.encode()):
            return ADMINISTRATOR
        claims = self._claims(token) if scheme.lower() == "bearer" else None
        if claims is None or claims["exp"] < time.time() or not self.exists(claims["uid"]):
            raise Refusal(401, "Unauthorized", "Unauthorized")
        return service_account(*claims["sub"])

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        return claims

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _encoded(value: Object) -> str:
    return base64.urlsafe_b64encode(to_json(value)).decode().rstrip("=")
