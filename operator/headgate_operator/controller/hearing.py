"""What an event makes the operator look at. Events are hints: nothing of them is believed, but which object to look at."""

from collections.abc import Mapping
from typing import Any

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.controller.claims import Claims
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.inventory import Inventory, Key
from headgate_operator.controller.resources import INFERENCE_SERVICES
from headgate_operator.controller.workqueue import WorkQueue
from headgate_operator.kube.protocol import Object


class Hearing:
    """Puts keys on the queue. Its methods take an object as an event shows it, and whether that says that it is gone."""

    def __init__(self, queue: WorkQueue[Key], *, claims: Claims, inventory: Inventory, echoes: Echoes, sharded: bool) -> None:
        self._queue = queue
        self._claims = claims
        self._inventory = inventory
        self._echoes = echoes
        self._sharded = sharded
        self._mine: set[Key] = set()
        """What the watch of this shard told of. Only a hint, like all that a watch says: a pass reads the labels afresh."""

    def deployment(self, metadata: Mapping[str, Any], gone: bool) -> None:
        """Take note of a ModelDeployment."""
        key = (metadata["namespace"], metadata["name"])
        (self._mine.discard if gone else self._mine.add)(key)
        if gone or not self._echoes.heard(metadata):
            self._queue.add(key)

    def service(self, obj: Object, gone: bool) -> None:
        """Take note of an InferenceService of ours."""
        if not gone:
            self._inventory.heard(INFERENCE_SERVICES, obj["metadata"])
        self._child(obj, gone)

    def route(self, obj: Object, gone: bool) -> None:
        """Take note of an HTTPRoute, ours or not: it may have a hostname of ours."""
        for key in self._claims.heard(obj, gone=gone):
            self._queue.add(key)
        self._child(obj, gone)

    def _child(self, obj: Object, gone: bool) -> None:
        metadata = obj["metadata"]
        key = (metadata["namespace"], (metadata.get("labels") or {}).get(OWNER_LABEL, ""))
        if not key[1] or (self._sharded and key not in self._mine):
            return
        if gone or not self._echoes.heard(metadata):
            self._queue.add(key)
