"""What KServe's controller writes: its children, the status and the finalizer of an InferenceService; nothing when nothing changes."""

import hashlib
import json
from dataclasses import dataclass, field

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve.names import FINALIZER, INFERENCE_SERVICE, KSERVE_MANAGER
from headgate_devcluster.objects import Object, key, merge_patch, terminating


@dataclass
class Writes:
    """The writes of one controller."""

    api: ApiClient
    _applied: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Digest of what was last applied, by uid of the owner, kind and name: an apply that changes nothing costs as much as any."""

    async def apply(self, isvc: Object, child: Object, live: Object | None) -> Object:
        """Apply a child unless the live one is what was applied last."""
        slot = (isvc["metadata"]["uid"], child["kind"], child["metadata"]["name"])
        digest = hashlib.sha256(json.dumps(child, sort_keys=True).encode()).hexdigest()
        if live is not None and self._applied.get(slot) == digest:
            return live
        applied: Object = await self.api.apply(child, field_manager=KSERVE_MANAGER)
        self._applied[slot] = digest
        return applied

    async def status(self, isvc: Object, status: Object) -> None:
        """Write the status."""
        if changes := merge_patch(isvc.get("status") or {}, status):
            await self._patch(isvc, {"status": changes}, subresource="status")

    async def hold(self, isvc: Object) -> bool:
        """Keep KServe's finalizer on the object while it lives and take it off when it is deleted; returns whether it lives."""
        finalizers = isvc["metadata"].get("finalizers", [])
        if terminating(isvc):
            self._applied = {slot: digest for slot, digest in self._applied.items() if slot[0] != isvc["metadata"]["uid"]}
            if FINALIZER in finalizers:
                left = [name for name in finalizers if name != FINALIZER]
                await self._patch(isvc, {"metadata": {"finalizers": left or None}})
            return False
        if FINALIZER not in finalizers:
            await self._patch(isvc, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        return True

    async def _patch(self, isvc: Object, patch: Object, *, subresource: str = "") -> None:
        await self.api.merge_patch(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural, *key(isvc), patch, subresource=subresource)
