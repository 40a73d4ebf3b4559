"""The few API verbs the operator uses, in plain dicts, so that everything above is independent of the client library."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

NO_VERSION: Final = "1"
"""A resourceVersion that no object ever has, as etcd's first write is its second revision. An apply with it creates or is a conflict."""


@dataclass(frozen=True)
class Resource:
    """A kind of object: where it lives in the API."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """As in the object's apiVersion: `apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


class ApiError(Exception):
    """The API server refused, or could not be asked. `status` is the HTTP code, 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(ApiError):
    """The object, or its whole kind, does not exist (404)."""


class ConflictError(ApiError):
    """Somebody else wrote in between, or the object with that uid is gone (409; 422 if another one has its name)."""


class InvalidError(ApiError):
    """The API server will never accept this object (400, 422, and 500 for an unknown field in a server-side apply)."""


class UnavailableError(ApiError):
    """Worth trying again: no answer, timeout, 429 or 5xx."""


class KubeApi(Protocol):
    """What the operator needs of an API server. Every call has a timeout and raises ApiError, nothing else."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return the object, or None if it does not exist; NotFoundError if the server does not know the kind."""
        ...

    async def list(self, resource: Resource, namespace: str | None, *, label_selector: str = "") -> Sequence[Object]:
        """Return all objects that match, however many pages that takes."""
        ...

    async def each(
        self,
        resource: Resource,
        namespace: str | None,
        see: Callable[[Object], None],
        *,
        label_selector: str = "",
        anew: Callable[[], None] = lambda: None,
    ) -> str:
        """Show every object that matches to `see`, holding one page at a time.

        Returns the list's resourceVersion, from which a watch goes on. A list that expires between pages is begun anew, which `anew` is
        told first: some objects are shown twice then, and some that were shown may be gone by now.
        """
        ...

    def watch(
        self, resource: Resource, namespace: str | None, *, since: str, label_selector: str = ""
    ) -> AsyncGenerator[tuple[str, Object]]:
        """Yield what changes after a resourceVersion, as (ADDED, MODIFIED, DELETED or BOOKMARK, object), until the server ends it.

        ApiError with status 410 if nobody remembers that far back: list again.
        """
        ...

    async def apply(self, resource: Resource, obj: Object, *, field_manager: str) -> Object:
        """Server-side apply with force. With uid and resourceVersion it updates exactly that object, with NO_VERSION it only creates."""
        ...

    async def replace_status(self, resource: Resource, obj: Object) -> Object:
        """PUT the whole status with the object's resourceVersion; ConflictError if it changed since."""
        ...

    async def patch(self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]) -> Object:
        """Merge-patch, for metadata only."""
        ...

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete exactly the object with that uid, in the background; no error if it is gone."""
        ...

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create; ConflictError if the name is taken."""
        ...

    async def replace(self, resource: Resource, obj: Object) -> Object:
        """PUT the whole object with its resourceVersion."""
        ...

    async def serves(self, resource: Resource) -> bool:
        """Whether the server knows the kind (its CRD is installed)."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
