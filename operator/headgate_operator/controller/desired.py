"""From what was decided to the objects that say so. Pure: `act` writes them, `headgate render` prints them."""

from headgate_operator.api.spec import Gateway, ModelDeploymentSpec
from headgate_operator.kserve.children import Owner, Scaling, inference_service, serving_runtime
from headgate_operator.kserve.route import RouteBackend, RouteMirror, http_route
from headgate_operator.kube.protocol import Object
from headgate_operator.rollout.decision import WantedRoute, WantedService


def desired_service(wanted: WantedService, *, owner: Owner) -> tuple[Object, Object]:
    """Return the runtime copy and the InferenceService that names it."""
    return serving_runtime(wanted.rendered, owner=owner), inference_service(wanted.rendered, owner=owner, scaling=scaling(wanted))


def scaling(wanted: WantedService) -> Scaling:
    """Return the replica bounds of a version."""
    return Scaling(
        min_replicas=wanted.min_replicas, max_replicas=wanted.max_replicas, metric=wanted.scale_metric, target=wanted.scale_target
    )  # fmt: skip


def desired_route(
    wanted: WantedRoute, *, namespace: str, owner: Owner, gateway: Gateway, hostnames: tuple[str, ...], spec: ModelDeploymentSpec
) -> Object:
    """Return the HTTPRoute, which has its ModelDeployment's name."""
    mirror = wanted.mirror
    first, second = (RouteBackend(isvc=slot.isvc, revision=slot.revision, weight=slot.weight) for slot in wanted.slots)
    return http_route(
        name=owner.name,
        namespace=namespace,
        owner=owner,
        gateway=gateway,
        hostnames=hostnames,
        slots=(first, second),
        mirror=None if mirror is None else RouteMirror(isvc=mirror.isvc, revision=mirror.revision, percent=mirror.percent),
        stable_id=wanted.stable_id,
        rejected_ids=wanted.rejected_ids,
        request_timeout=spec.serving.request_timeout,
    )
