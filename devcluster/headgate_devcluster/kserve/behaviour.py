"""Misbehaviour on order: servers that start slowly, crash, never get ready or stop being ready, switched by annotations.

The annotations work on an InferenceService (all its pods) and on a single Pod, and at any time: they never reach the pod template, so that
ordering a failure does not replace the pods that are to fail. `order` writes them:

    await order(cluster.api, "ml", "m-1", Behaviour(ready=False))    # no pod is ready any more
    await order(cluster.api, "ml", "m-1", Behaviour())               # as usual again
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve.names import INFERENCE_SERVICE, OWN_PREFIX

START_SECONDS = f"{OWN_PREFIX}start-seconds"
READY_SECONDS = f"{OWN_PREFIX}ready-seconds"
CRASH_SECONDS = f"{OWN_PREFIX}crash-seconds"
READY = f"{OWN_PREFIX}ready"


@dataclass(frozen=True)
class Behaviour:
    """How a server behaves. Seconds count from the start of its process."""

    ready: bool = True
    """False: not ready, whatever the server says, for as long as this is ordered."""
    start_seconds: float = 0.0
    """How long it is not ready at first."""
    ready_seconds: float = math.inf
    """How long after that it stays ready."""
    crash_seconds: float = math.inf
    """When its process dies, each time it runs."""

    @property
    def usual(self) -> bool:
        """Whether nothing is ordered."""
        return self == Behaviour()

    def may_be_ready(self, age: float) -> bool:
        """Whether a server that is `age` seconds old and healthy counts as ready."""
        return self.ready and 0 <= age - self.start_seconds < self.ready_seconds

    def annotations(self) -> dict[str, str | None]:
        """The annotations that order it, as a merge patch: what is not ordered goes."""
        seconds = {START_SECONDS: self.start_seconds or math.inf, READY_SECONDS: self.ready_seconds, CRASH_SECONDS: self.crash_seconds}
        told = {name: None if value == math.inf else f"{value:g}" for name, value in seconds.items()}
        return told | {READY: None if self.ready else "false"}


def behaviour(annotations: Mapping[str, str]) -> Behaviour:
    """Read what is ordered.

    Raises:
        ValueError: one of the annotations says something that is not possible.
    """
    ready = annotations.get(READY, "true")
    if ready not in ("true", "false"):
        msg = f"annotation {READY}: {ready!r} is not possible; write true or false"
        raise ValueError(msg)
    return Behaviour(
        ready == "true",
        _seconds(annotations, START_SECONDS, 0.0),
        _seconds(annotations, READY_SECONDS, math.inf),
        _seconds(annotations, CRASH_SECONDS, math.inf),
    )


async def order(api: ApiClient, namespace: str, isvc: str, wanted: Behaviour) -> None:
    """Make the servers of an InferenceService behave so from now on."""
    patch: dict[str, Any] = {"metadata": {"annotations": wanted.annotations()}}
    await api.merge_patch(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural, namespace, isvc, patch)


def _seconds(annotations: Mapping[str, str], name: str, otherwise: float) -> float:
    text = annotations.get(name)
    if text is None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        msg = f"annotation {name}: {text!r} is not possible; write a number of seconds, such as 5 or 0.5"
        raise ValueError(msg)
    return value
