"""KServe's controller and Knative in Knative mode: revisions, the traffic between them, and the ingress."""

import time
from collections import Counter
from dataclasses import dataclass, field

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve import isvc_status, knative_desired, knative_status, revisions
from headgate_devcluster.kserve.names import (
    CLUSTER_RUNTIME,
    DEPLOYMENT,
    INFERENCE_SERVICE,
    KNATIVE_REVISION,
    KNATIVE_SERVICE,
    MODE_ANNOTATION,
    RUNTIME,
    STOP_ANNOTATION,
    TAGS_ANNOTATION,
    predictor,
)
from headgate_devcluster.kserve.revisions import READY_ANNOTATION, Revision
from headgate_devcluster.kserve.runtimes import RuntimeMissingError, runtime_of
from headgate_devcluster.kserve.writes import Writes
from headgate_devcluster.objects import HTTP_ROUTE, POD, SERVICE, Kind, Object, key, terminating, timestamp
from headgate_devcluster.reconcile import keeps_others, reconcile

MODES = ("Knative", "Serverless")
SCALE_DOWN_SECONDS = 10.0
"""How long a revision without traffic keeps its pods. Knative takes a minute and a half, which would only make rollouts here slower."""

_LOOK_SECONDS = 2.0


@dataclass
class KnativeController:
    """All InferenceServices of the cluster that are in Knative mode."""

    api: ApiClient
    scale_down_seconds: float = SCALE_DOWN_SECONDS
    _generations: dict[str, tuple[object, int]] = field(default_factory=dict)
    """What Knative's Service would say and how often that has changed, by uid of the InferenceService."""
    _idle_since: dict[str, float] = field(default_factory=dict)
    """By uid of a revision's Deployment."""

    def __post_init__(self) -> None:
        self._writes = Writes(self.api)

    async def run(self) -> None:
        """Follow InferenceServices and what they depend on until cancelled."""
        kinds = [INFERENCE_SERVICE, RUNTIME, CLUSTER_RUNTIME, DEPLOYMENT, POD, HTTP_ROUTE]
        await reconcile("knative", self.api, kinds, self._sync, every=_LOOK_SECONDS)

    async def _sync(self) -> None:
        for isvc in await self.api.list(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural):
            if isvc["metadata"].get("annotations", {}).get(MODE_ANNOTATION) in MODES and "predictor" in isvc["spec"]:
                with keeps_others(isvc):
                    await self._reconcile(isvc)

    async def _reconcile(self, isvc: Object) -> None:
        if not await self._writes.hold(isvc):
            self._generations.pop(isvc["metadata"]["uid"], None)
            return
        if isvc["metadata"].get("annotations", {}).get(STOP_ANNOTATION) == "true":
            await self._stop(isvc)
            return
        try:
            runtime = await runtime_of(self.api, isvc)
        except RuntimeMissingError as error:
            await self._writes.status(isvc, isvc_status.invalid(isvc, "Knative", error.reason, str(error)))
            return
        deployments = await self._deployments(isvc)
        if not any(map(terminating, deployments)):  # those of before a stop go first: their names come again
            await self._serve(isvc, runtime, deployments)

    async def _serve(self, isvc: Object, runtime: Object | None, deployments: list[Object]) -> None:
        found = [await self._revision(deployment) for deployment in deployments]
        if not found or found[-1].template != knative_desired.digest(knative_desired.template(isvc, runtime)):
            deployments.append(await self._make(isvc, runtime, len(found) + 1))
            found.append(await self._revision(deployments[-1]))
        part = (isvc.get("status") or {}).get("components", {}).get("predictor", {})
        ready = revisions.latest_ready(found, part.get("latestReadyRevision", ""))
        tagged = isvc["metadata"].get("annotations", {}).get(TAGS_ANNOTATION) == "true"
        percent = isvc["spec"]["predictor"].get("canaryTrafficPercent")
        wanted = revisions.targets(percent, part.get("latestRolledoutRevision", ""), tagged=tagged)
        service = predictor(isvc["metadata"]["name"])
        address = {tag: "http://" + knative_desired.hosts(isvc, f"{tag}-{service}")[0] for tag in ("latest", "prev")}
        split = revisions.traffic(wanted, ready, address)
        await self._scale(deployments, {entry["revisionName"] for entry in split} | {found[-1].name})
        programmed = await self._route(isvc, split)
        generation = self._generation(isvc, (found[-1].template, tuple(wanted)))
        seen = knative_status.Seen(found, ready, split, programmed, generation)
        await self._writes.status(isvc, knative_status.serving(isvc, seen, timestamp()))

    async def _deployments(self, isvc: Object) -> list[Object]:
        """The revisions' Deployments, oldest first."""
        namespace, name = key(isvc)
        selector = f"{KNATIVE_SERVICE}={predictor(name)}"
        found = await self.api.list(DEPLOYMENT.api_version, DEPLOYMENT.plural, namespace, label_selector=selector)
        return sorted(found, key=lambda deployment: str(deployment["metadata"]["labels"][KNATIVE_REVISION]))

    async def _make(self, isvc: Object, runtime: Object | None, number: int) -> Object:
        deployment = knative_desired.revision_deployment(isvc, runtime, number)
        name = deployment["metadata"]["labels"][KNATIVE_REVISION]
        await self._writes.apply(isvc, knative_desired.service(isvc, name, name), None)
        return await self._writes.apply(isvc, deployment, None)

    async def _revision(self, deployment: Object) -> Revision:
        namespace, _ = key(deployment)
        selector = f"{KNATIVE_REVISION}={deployment['metadata']['labels'][KNATIVE_REVISION]}"
        found = revisions.revision(deployment, await self.api.list(POD.api_version, POD.plural, namespace, label_selector=selector))
        if found.ready and READY_ANNOTATION not in deployment["metadata"].get("annotations", {}):
            await self._patch(deployment, {"metadata": {"annotations": {READY_ANNOTATION: "True"}}})
        return found

    async def _route(self, isvc: Object, split: list[Object]) -> bool:
        """Make the ingress serve the traffic; returns whether the gateway says that it does."""
        name = isvc["metadata"]["name"]
        service = predictor(name)
        tagged = {f"{entry['tag']}-{service}": entry["revisionName"] for entry in split if "tag" in entry}
        await self._remove_tags(isvc, set(tagged))
        if not split:
            return False
        routes = []
        for tag, revision in tagged.items():
            await self._apply(isvc, SERVICE, knative_desired.service(isvc, tag, revision))
            routes.append(knative_desired.route(isvc, tag, knative_desired.hosts(isvc, tag), [(revision, 100)]))
        for placeholder in (name, service):
            await self._apply(isvc, SERVICE, knative_desired.placeholder(isvc, placeholder))
        shares: Counter[str] = Counter()
        for entry in split:
            shares[entry["revisionName"]] += entry["percent"]
        hosts = knative_desired.hosts(isvc, name, service)
        routes.append(knative_desired.route(isvc, service, hosts, sorted(shares.items())))
        return all([_served(await self._apply(isvc, HTTP_ROUTE, route)) for route in routes])

    async def _remove_tags(self, isvc: Object, wanted: set[str]) -> None:
        namespace, name = key(isvc)
        for tag in (f"latest-{predictor(name)}", f"prev-{predictor(name)}"):
            for kind in (HTTP_ROUTE, SERVICE):
                if tag not in wanted and await self.api.get(kind.api_version, kind.plural, namespace, tag):
                    await self.api.delete(kind.api_version, kind.plural, namespace, tag)

    async def _apply(self, isvc: Object, kind: Kind, child: Object) -> Object:
        live = await self.api.get(kind.api_version, kind.plural, *key(child))
        return await self._writes.apply(isvc, child, live)

    async def _scale(self, deployments: list[Object], used: set[str]) -> None:
        """Give revisions with traffic their least replicas; take the pods of the others when they have been without for long enough."""
        for deployment in deployments:
            meta = deployment["metadata"]
            least = int(deployment["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"])
            idle = meta["labels"][KNATIVE_REVISION] not in used
            since = self._idle_since.setdefault(meta["uid"], time.monotonic()) if idle else None
            if since is None:
                self._idle_since.pop(meta["uid"], None)
            wanted = 0 if since is not None and time.monotonic() - since >= self.scale_down_seconds else least
            # A revision that has gone to nothing comes back only with traffic.
            if deployment["spec"].get("replicas", 1) != wanted and not (idle and wanted):
                await self._patch(deployment, {"spec": {"replicas": wanted}})

    def _generation(self, isvc: Object, said: object) -> int:
        uid, told = isvc["metadata"]["uid"], (isvc.get("status") or {}).get("observedGeneration", 0)
        before, count = self._generations.get(uid, (said if told else None, told))
        self._generations[uid] = said, count + (said != before)
        return self._generations[uid][1]

    async def _stop(self, isvc: Object) -> None:
        namespace, name = key(isvc)
        selector = f"{KNATIVE_SERVICE}={predictor(name)}"
        for kind in (HTTP_ROUTE, DEPLOYMENT, SERVICE):
            for child in await self.api.list(kind.api_version, kind.plural, namespace, label_selector=selector):
                await self.api.delete(kind.api_version, kind.plural, *key(child))
        self._generations.pop(isvc["metadata"]["uid"], None)
        await self._writes.status(isvc, isvc_status.stopped(isvc, "Knative", timestamp()))

    async def _patch(self, deployment: Object, patch: Object) -> None:
        await self.api.merge_patch(DEPLOYMENT.api_version, DEPLOYMENT.plural, *key(deployment), patch)


def _served(route: Object) -> bool:
    generation = route["metadata"]["generation"]
    told = [entry for parent in route.get("status", {}).get("parents", []) for entry in parent["conditions"] if entry["type"] == "Accepted"]
    return any(entry["status"] == "True" and entry.get("observedGeneration") == generation for entry in told)
