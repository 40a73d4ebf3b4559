"""Knative mode: what one InferenceService, its status and the Deployments of its revisions say about our revisions.

Ready and observedGeneration tell nothing here: the one is about the newest revision only, the other is that of Knative's Service. So: the
revision names in the status, the traffic entries, and for each revision its Deployment, whose pod template carries our revision's id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.names import REVISION_ANNOTATION
from headgate_operator.kserve.children import PERCENT, Owner
from headgate_operator.kserve.read import ServiceState, condition, explanation, model_uri, restarts, rolled_out
from headgate_operator.kserve.resources import KNATIVE_REVISION_LABEL


@dataclass(frozen=True, kw_only=True)
class KnativeState:
    """The InferenceService and its revisions. Names are Knative's, ids are ours; the id of a revision made by others is ""."""

    template: str
    """Id of the revision whose template the InferenceService carries."""
    percent: int | None
    """What it asks for the latest ready revision. None: somebody removed it, which means all."""
    created: str
    """Name of the newest revision."""
    ready: str
    """Name of the latest ready revision, which `percent` is about."""
    rolled_out: str
    """Name of the revision that last had all traffic; it gets what `percent` leaves."""
    rolled_out_before: str
    shares: Mapping[str, int]
    """Percent of the traffic by revision name, as Knative says."""
    tagged: str
    """Name of the revision behind the address of the tag `latest`."""
    routed: bool
    """Knative's ingress serves that traffic, and it is what the InferenceService asks for."""
    ids: Mapping[str, str]
    """Our id by revision name, oldest revision first."""

    def id(self, name: str) -> str:
        """Return our id of a revision."""
        return self.ids.get(name, "")

    def settled(self, revision: str) -> bool:
        """Whether the latest ready revision is the newest one and ours: only then `percent` is about what we mean."""
        return revision == self.template == self.id(self.ready) and self.created == self.ready != ""

    def falls_back_to(self, revision: str) -> bool:
        """Whether a percentage below 100 brings that revision back: the newest one was rolled out, and it was before that."""
        return self.created == self.ready == self.rolled_out != "" and self.id(self.rolled_out_before) == revision

    def weights(self) -> dict[str, int] | None:
        """Return the traffic by our ids, None if there is none or a part of it goes to a revision that is not ours."""
        weights: dict[str, int] = {}
        for name, percent in self.shares.items():
            weights[self.id(name)] = weights.get(self.id(name), 0) + percent
        weights = {revision: weight for revision, weight in weights.items() if weight}
        return None if not weights or "" in weights else weights

    def serving(self, revision: str) -> str | None:
        """Return the name of the revision that answers for one of ours: of several the one with most traffic, then the newest."""
        names = [name for name, id_ in self.ids.items() if id_ == revision]
        return max(reversed(names), key=lambda name: self.shares.get(name, 0), default=None)

    def on_trial(self, revision: str) -> str | None:
        """Return the name of the newest revision if it is that one of ours; an older one of the same id is none to go on with."""
        return self.created if self.created and self.id(self.created) == revision else None


def read_state(isvc: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]]) -> KnativeState:
    """Return the state from the InferenceService and the Deployments of its revisions."""
    part = isvc.get("status", {}).get("components", {}).get("predictor", {})
    traffic = part.get("traffic", ())
    percent = isvc["spec"].get("predictor", {}).get(PERCENT)
    latest: Mapping[str, Any] = next((entry for entry in traffic if entry.get("latestRevision")), {})
    shares: dict[str, int] = {}
    for entry in traffic:
        shares[entry["revisionName"]] = shares.get(entry["revisionName"], 0) + entry.get("percent", 0)
    obeyed = latest.get("percent", 0) == (100 if percent is None else percent)
    return KnativeState(
        template=isvc["metadata"].get("annotations", {}).get(REVISION_ANNOTATION, ""),
        percent=percent,
        created=part.get("latestCreatedRevision", ""),
        ready=part.get("latestReadyRevision", ""),
        rolled_out=part.get("latestRolledoutRevision", ""),
        rolled_out_before=part.get("previousRolledoutRevision", ""),
        shares=shares,
        tagged=latest.get("revisionName", "") if latest.get("tag") == "latest" else "",
        routed=bool(traffic) and obeyed and condition(isvc, "PredictorRouteReady").get("status") == "True",
        ids={name: _id(found) for name, found in sorted(by_revision(deployments).items())},
    )


def by_revision(deployments: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the Deployments by the name of their revision."""
    named = ((found["metadata"].get("labels", {}).get(KNATIVE_REVISION_LABEL), found) for found in deployments)
    return {name: found for name, found in named if name}


def read_revision(
    name: str | None,
    *,
    isvc: Mapping[str, Any],
    state: KnativeState,
    deployment: Mapping[str, Any] | None,
    pods: Sequence[Mapping[str, Any]],
    owner: Owner,
    on_trial: bool,
) -> ServiceState:
    """Return the state of one of our revisions, in the words of a version of Standard mode.

    Args:
        name: Knative's name of it, None if there is none yet.
        isvc: The InferenceService.
        state: What it says.
        deployment: The revision's Deployment; Knative makes it with the revision and keeps it when it takes the pods away.
        pods: The revision's pods.
        owner: Whose InferenceService it should be.
        on_trial: Whether it is to get (more) traffic: then only the newest revision will do, ready, loading the model named now, and
            behind the address at which the candidate is asked.
    """
    ready = name is not None and name in {state.ready, state.rolled_out, state.rolled_out_before}
    current, why = deployment is not None, ""
    if on_trial:
        loads = deployment is not None and rolled_out(deployment, model_uri(isvc))
        current = name is not None and state.created == state.ready == name and loads
        if current and not (state.tagged == name and state.routed):  # asked now, the revision before it might answer
            current, why = False, "Knative does not serve it at an address of its own yet"
    return ServiceState(
        name=isvc["metadata"]["name"],
        ours=owner.owns(dict(isvc)),
        deleting="deletionTimestamp" in isvc["metadata"],
        min_replicas=isvc["spec"].get("predictor", {}).get("minReplicas", 1),
        available_replicas=(deployment or {}).get("status", {}).get("availableReplicas", 0),
        isvc_ready=ready,
        rolled_out=current,
        not_ready="" if ready and current else why or explanation(isvc, deployment, pods),
        restarts=restarts(pods),
        elastic=True,
        asleep=ready and deployment is not None and deployment.get("spec", {}).get("replicas", 1) == 0,
    )


def _id(deployment: Mapping[str, Any]) -> str:
    template = deployment.get("spec", {}).get("template", {}).get("metadata", {})
    return str(template.get("annotations", {}).get(REVISION_ANNOTATION, ""))
