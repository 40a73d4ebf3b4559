"""The status KServe writes on an InferenceService in Knative mode: pure functions.

Its lies differ from Standard mode's: Ready is about the *newest* revision, so it is Unknown while one starts and False for ever when it
cannot, although the revisions before it serve on; `observedGeneration` is that of Knative's Service, which counts changes of traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headgate_devcluster.kserve import knative_desired
from headgate_devcluster.kserve.isvc_status import stamped
from headgate_devcluster.kserve.names import predictor
from headgate_devcluster.kserve.revisions import Revision, rolled_out
from headgate_devcluster.objects import Object

Told = dict[str, str]
"""A condition without its type and time."""

_TRUE: Told = {"status": "True"}


@dataclass(frozen=True)
class Seen:
    """What the status is about."""

    revisions: Sequence[Revision]
    """At least one, oldest first."""
    ready: str
    """The latest ready revision; empty if none."""
    split: list[Object]
    programmed: bool
    """Whether the gateway serves that traffic."""
    generation: int
    """How often Knative's Service was changed."""


def serving(isvc: Object, seen: Seen, now: str) -> Object:
    """The status while the InferenceService is meant to run."""
    before = isvc.get("status") or {}
    part = before.get("components", {}).get("predictor", {})
    newest = seen.revisions[-1]
    configuration, route = _configuration(newest), _route(isvc, newest, seen)
    both = _both(configuration, route)
    component: Object = {"latestCreatedRevision": newest.name}
    if seen.ready:
        component |= {"latestReadyRevision": seen.ready, "traffic": seen.split}
    component |= rolled_out(part, seen.split, seen.ready, newest.name)
    component |= _addresses(isvc) if both == _TRUE else {name: part[name] for name in ("url", "address") if name in part}
    return {
        "address": {"url": "http://" + knative_desired.hosts(isvc, isvc["metadata"]["name"])[-1]},
        "components": {"predictor": component},
        "conditions": stamped(_conditions(configuration, route, both), before, now),
        "deploymentMode": "Knative",
        "modelStatus": _model_status(before.get("modelStatus", {}), newest, both == _TRUE and newest.name == seen.ready),
        "observedGeneration": seen.generation,
        "url": "http://" + knative_desired.hosts(isvc, isvc["metadata"]["name"])[0],
    }


def _conditions(configuration: Told, route: Told, both: Told) -> list[Told]:
    told = {
        "IngressReady": route,
        "LatestDeploymentReady": configuration,
        "PredictorConfigurationReady": configuration,
        "PredictorReady": both,
        "PredictorRouteReady": route,
        "Ready": both,
        "RoutesReady": route,
    }
    minor = {"LatestDeploymentReady", "PredictorConfigurationReady", "PredictorRouteReady", "RoutesReady"}
    found = [{"type": kind, **value} | ({"severity": "Info"} if kind in minor else {}) for kind, value in told.items()]
    return [*found, {"type": "Stopped", "status": "False", "severity": "Info"}]


def _configuration(newest: Revision) -> Told:
    if newest.ready:
        return _TRUE
    if newest.failure:
        message = f'Revision "{newest.name}" failed with message: {newest.failure}.'
        return {"status": "False", "reason": "RevisionFailed", "message": message}
    return {"status": "Unknown"}


def _route(isvc: Object, newest: Revision, seen: Seen) -> Told:
    configuration = predictor(isvc["metadata"]["name"])
    if seen.ready and seen.programmed:
        return _TRUE
    if seen.ready:
        return {"status": "Unknown", "reason": "Uninitialized", "message": "Waiting for load balancer to be ready"}
    if newest.failure:
        message = f'Configuration "{configuration}" does not have any ready Revision.'
        return {"status": "False", "reason": "RevisionMissing", "message": message}
    message = f'Configuration "{configuration}" is waiting for a Revision to become ready.'
    return {"status": "Unknown", "reason": "RevisionMissing", "message": message}


def _both(configuration: Told, route: Told) -> Told:
    """What False there is wins, then what is not known yet."""
    for status in ("False", "Unknown"):
        for part in (configuration, route):
            if part["status"] == status:
                return part
    return _TRUE


def _addresses(isvc: Object) -> Object:
    found = knative_desired.hosts(isvc, predictor(isvc["metadata"]["name"]))
    return {"url": f"http://{found[0]}", "address": {"url": f"http://{found[-1]}"}}


def _model_status(before: Object, newest: Revision, loaded: bool) -> Object:
    failure = {key: value for key, value in before.items() if key == "lastFailureInfo"}  # never cleared
    if loaded:
        states = {"activeModelState": "Loaded", "targetModelState": "Loaded"}
        return failure | {"copies": {"failedCopies": 0, "totalCopies": 1}, "states": states, "transitionStatus": "UpToDate"}
    active = before.get("states", {}).get("activeModelState", "")
    if "CrashLoopBackOff" in newest.failure:
        found = {"reason": "ModelLoadFailed", "message": newest.failure}
        states = {"activeModelState": active, "targetModelState": "FailedToLoad"}
        return {"copies": {"failedCopies": 0}, "lastFailureInfo": found, "states": states, "transitionStatus": "BlockedByFailedLoad"}
    states = {"activeModelState": active, "targetModelState": "Pending"}
    return failure | {"copies": {"failedCopies": 0}, "states": states, "transitionStatus": "InProgress"}
