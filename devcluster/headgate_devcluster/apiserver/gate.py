"""Who may come in: authentication and authorization of every request, when RBAC is switched on."""

from dataclasses import replace

from aiohttp import web

from headgate_devcluster.apiserver.authentication import Tokens, User
from headgate_devcluster.apiserver.authorization import require_allowed, require_readable
from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.store import Store
from headgate_devcluster.apiserver.verbs import APPLY_PATCH


class Gate:
    """Lets in who may; without `enforced`, everybody."""

    def __init__(self, store: Store, *, enforced: bool) -> None:
        self._store, self._enforced = store, enforced
        self.tokens = Tokens(store.has_uid)

    @property
    def administrator(self) -> str:
        """The administrator's token; empty if nobody has to say who he is."""
        return self.tokens.administrator if self._enforced else ""

    def user(self, request: web.Request) -> User | None:
        """Return who makes a request, None if that does not matter; 401 for a bad token, 403 for discovery by nobody."""
        if not self._enforced:
            return None
        user = self.tokens.user(request.headers.get("Authorization", ""))
        if _is_plain(request.path):
            require_readable(user, request.path)
        return user

    def require(self, user: User | None, request: web.Request, call: Call, *, exists: bool) -> None:
        """Refuse what the user may not do. Applying what does not exist is creating it."""
        if user is None:
            return
        require_allowed(user, call, self._store)
        if request.content_type == APPLY_PATCH and not exists:
            require_allowed(user, replace(call, verb="create"), self._store)


def _is_plain(path: str) -> bool:
    """Say whether a path is discovery, health or the like, not a resource."""
    parts = path.strip("/").split("/")
    return parts[0] not in {"api", "apis"} or len(parts) <= (2 if parts[0] == "api" else 3)
