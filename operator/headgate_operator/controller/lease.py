"""Leadership: at most one operator writes. One Lease object, held for 15 s, renewed every 2 s, given up by exiting.

Whether somebody else's lease has run out is judged by our own monotonic clock since we last saw it change: clocks of two machines are
never compared. A leader that cannot renew for 10 s ends its process, 5 s before anyone else may take over.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headgate_operator.kube.protocol import ApiError, ConflictError, KubeApi, NotFoundError, Object, Resource

LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")

_log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Somebody else holds the lease, or it could not be renewed in time: the process must end at once."""


@dataclass(frozen=True, kw_only=True)
class LeaseTimes:
    """Seconds: how long a lease lasts, when a leader gives up, how often it is renewed or tried."""

    duration: float = 15
    deadline: float = 10
    retry: float = 2


class Lease:
    """One process's part in the election."""

    def __init__(self, api: KubeApi, *, namespace: str, name: str, identity: str, times: LeaseTimes | None = None) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._times = times or LeaseTimes()
        self._seen_version: str | None = None
        self._seen_at = 0.0
        self._held: Object | None = None

    @property
    def held(self) -> bool:
        """Whether this process leads."""
        return self._held is not None

    async def acquire(self) -> None:
        """Return once this process leads; API errors are waited out."""
        waiting = False
        while not self.held:
            try:
                await self._try_acquire()
            except ApiError as error:
                _log.warning("the lease %s/%s cannot be taken yet: %s", self._namespace, self._name, error)
            if not self.held:
                if not waiting:
                    _log.info("another operator leads; waiting for the lease %s/%s", self._namespace, self._name)
                waiting = True
                await asyncio.sleep(self._times.retry)
        _log.info("leading as %s", self._identity)

    async def keep(self) -> None:
        """Renew until cancelled; LeaseLostError when that failed for too long or somebody else took over."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(self._times.retry)
            started = loop.time()
            try:
                async with asyncio.timeout(max(0.0, renewed + self._times.deadline - started)):
                    await self._renew()
                renewed = started
            except (ApiError, TimeoutError) as error:
                _log.warning("the lease could not be renewed: %s", str(error) or "no answer in time")
            if loop.time() - renewed >= self._times.deadline:
                raise LeaseLostError(f"the lease {self._namespace}/{self._name} was not renewed for {self._times.deadline:g} s")

    async def release(self) -> None:
        """Let the next operator lead at once; failures only cost it the lease's duration."""
        if self._held is None:
            return
        body = self._object(self._held)
        body["spec"]["leaseDurationSeconds"] = 1
        del body["spec"]["holderIdentity"]  # an empty one is refused by some API servers
        self._held = None
        try:
            await self._api.replace(LEASES, body)
        except ApiError as error:
            _log.warning("the lease could not be released: %s", error)

    async def _try_acquire(self) -> None:
        current = await self._api.get(LEASES, self._namespace, self._name)
        try:
            if current is None:
                self._held = await self._api.create(LEASES, self._object(None))
            elif self._free(current):
                self._held = await self._api.replace(LEASES, self._object(current))
        except ConflictError:
            return  # another operator was faster

    def _free(self, lease: Object) -> bool:
        """Whether nobody holds the lease, or its holder has been silent for its whole duration."""
        spec = lease.get("spec") or {}
        if spec.get("holderIdentity") in ("", None, self._identity):
            return True
        now = asyncio.get_running_loop().time()
        version = lease["metadata"].get("resourceVersion")
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, now
        return now - self._seen_at >= float(spec.get("leaseDurationSeconds") or self._times.duration)

    async def _renew(self) -> None:
        assert self._held is not None
        try:
            self._held = await self._api.replace(LEASES, self._object(self._held))
        except (ConflictError, NotFoundError):
            current = await self._api.get(LEASES, self._namespace, self._name)
            holder = None if current is None else (current.get("spec") or {}).get("holderIdentity")
            if current is None or holder != self._identity:
                self._held = None
                raise LeaseLostError(f"the lease {self._namespace}/{self._name} is now held by {holder or 'nobody'}") from None
            # Still ours: an earlier renewal arrived although its answer was lost.
            self._held = await self._api.replace(LEASES, self._object(current))

    def _object(self, current: Object | None) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before: dict[str, Any] = (current or {}).get("spec") or {}
        ours = before.get("holderIdentity") == self._identity
        metadata: dict[str, Any] = {"name": self._name, "namespace": self._namespace}
        if current is not None:
            metadata["resourceVersion"] = current["metadata"]["resourceVersion"]
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": int(self._times.duration),
                "acquireTime": before.get("acquireTime") if ours else now,
                "renewTime": now,
                "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if ours or current is None else 1),
            },
        }
