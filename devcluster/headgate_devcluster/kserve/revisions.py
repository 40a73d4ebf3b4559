"""Knative's revisions and how KServe splits traffic between them: pure functions.

A revision here is its Deployment: made once from the InferenceService, never changed but for its replicas.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from headgate_devcluster.kserve.names import KNATIVE_GENERATION, KNATIVE_REVISION
from headgate_devcluster.objects import Object

TEMPLATE_ANNOTATION = "devcluster.headgate.dev/revision-template"
"""On a revision's Deployment: the digest of what it was made from; Knative makes a revision whenever it differs from the newest one's."""

READY_ANNOTATION = "devcluster.headgate.dev/revision-ready"
"""On a revision's Deployment once it was ready: it stays so when it is scaled to nothing."""

# What a container waits for and will not get by waiting.
_FAILURES = frozenset({"ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff", "RunContainerError", "CreateContainerError"})


@dataclass(frozen=True)
class Revision:
    """One revision."""

    name: str
    number: int
    template: str
    """Digest of what it was made from."""
    ready: bool = False
    failure: str = ""
    """Why it cannot get ready; empty while it still may."""


@dataclass(frozen=True)
class Target:
    """One entry of the traffic that KServe asks Knative for."""

    percent: int
    revision: str | None = None
    """None stands for the latest ready revision."""
    tag: str = ""


def revision(deployment: Object, pods: Iterable[Object]) -> Revision:
    """Read a revision from its Deployment and its pods."""
    meta = deployment["metadata"]
    annotations = meta.get("annotations", {})
    enough = deployment.get("status", {}).get("availableReplicas", 0) >= max(1, deployment["spec"].get("replicas", 1))
    ready = READY_ANNOTATION in annotations or enough
    failure = "" if ready else next(filter(None, map(_failure, pods)), "")
    labels = meta["labels"]
    return Revision(labels[KNATIVE_REVISION], int(labels[KNATIVE_GENERATION]), annotations[TEMPLATE_ANNOTATION], ready, failure)


def latest_ready(revisions: Sequence[Revision], before: str) -> str:
    """The newest revision that is ready; never one older than it was. Empty if there is none."""
    ready = [found.name for found in sorted(revisions, key=lambda found: found.number) if found.ready or found.name == before]
    return ready[-1] if ready else ""


def targets(percent: int | None, rolled_out: str, *, tagged: bool) -> list[Target]:
    """The traffic KServe asks for; without a percentage, or before anything was rolled out, everything goes to the latest."""
    latest_tag = "latest" if tagged else ""
    if percent is None or not rolled_out:
        return [Target(100, tag=latest_tag)]
    split = [Target(percent, tag=latest_tag)]
    if percent < 100:
        split.append(Target(100 - percent, rolled_out, "prev"))
    return split


def traffic(wanted: Iterable[Target], latest: str, address: Mapping[str, str]) -> list[Object]:
    """The traffic as the status tells it; nothing while no revision is ready.

    Args:
        wanted: what KServe asks for.
        latest: the latest ready revision.
        address: by tag, where it can be reached.
    """
    if not latest:
        return []
    return [_entry(target, latest, address) for target in wanted]


def rolled_out(before: Object, split: Iterable[Object], ready: str, created: str) -> dict[str, str]:
    """What `latestRolledoutRevision` and `previousRolledoutRevision` become once `split` is in force.

    The latest moves on when the latest ready revision has exactly all the traffic. It moves back when that revision, being the newest,
    is asked to share with itself: that is how KServe rolls back a revision that was rolled out. So a percentage below 100, written while
    nothing new has been made, brings the previous revision back.
    """
    latest, previous = before.get("latestRolledoutRevision", ""), before.get("previousRolledoutRevision", "")
    percents: dict[str, int] = {}
    for entry in split:
        percents[entry["revisionName"]] = percents.get(entry["revisionName"], 0) + entry["percent"]
    own = next((entry["percent"] for entry in split if entry["latestRevision"] and entry["revisionName"] == ready), None)
    if own == 100 and latest != ready:
        latest, previous = ready, latest
    elif own is not None and own < 100 and latest == ready == created and percents[ready] == 100 and previous:
        latest = previous
    found = {"latestRolledoutRevision": latest, "previousRolledoutRevision": previous}
    return {name: value for name, value in found.items() if value}


def _entry(target: Target, latest: str, address: Mapping[str, str]) -> Object:
    entry: Object = {
        "latestRevision": target.revision is None,
        "percent": target.percent,
        "revisionName": target.revision or latest,
    }
    return entry | ({"tag": target.tag, "url": address[target.tag]} if target.tag else {})


def _failure(pod: Object) -> str:
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _FAILURES:
            return f"{waiting['reason']}: {waiting.get('message', '')}"
    return ""
