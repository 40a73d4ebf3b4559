"""What the route was seen to carry. `candidate.weight` is a decision, `traffic` is the truth; they differ while a write is on its way."""

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ServingMode
from headgate_operator.api.status import ModelDeploymentStatus, Traffic
from headgate_operator.rollout.observed import Route
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import carried, read_traffic, recorded, says


def read_back(turn: Turn) -> Turn:
    """Record the weights the gateway has accepted. A route not accepted yet says nothing: the gateway goes on with the old one."""
    route = turn.observed.route
    if route is not None and not route.ours:
        return turn
    turn = _tell_if_edited(turn, route)
    if route is None or route.slots is None:
        return turn.with_status(traffic=[])
    if not route.accepted:
        return turn
    shares = read_traffic(route)
    if shares == recorded(turn.status):
        return turn
    return turn.with_status(traffic=[Traffic(id=revision, weight=share.weight, mirror=share.mirror) for revision, share in shares.items()])


def count_requests(turn: Turn) -> Turn:
    """Put the requests that the analysis counted beside the weights."""
    counts = _counted(turn.status)
    return turn.with_status(traffic=[changed(entry, requests=counts.get(entry.id, 0)) for entry in turn.status.traffic])


def edited(before: ModelDeploymentStatus, route: Route | None) -> bool:
    """Whether somebody else changed or deleted the route since it was seen as status decided."""
    return carried(before) and (route is None or not says(route, before))


def _tell_if_edited(turn: Turn, route: Route | None) -> Turn:
    """Say that the route was edited: it had been seen right, nothing was decided since, and now it is different."""
    if not edited(turn.observed.status, route):
        return turn
    what = "was deleted" if route is None else "was edited"
    return turn.note(Reason.CHILD_RESTORED, f"{_where_weights_are(turn)} {what} by somebody else and is put back", warning=True)


def _where_weights_are(turn: Turn) -> str:
    return "the traffic of the InferenceService" if turn.spec.serving.mode is ServingMode.KNATIVE else "the HTTPRoute"


def _counted(status: ModelDeploymentStatus) -> dict[str, int]:
    analysis, stable = status.analysis, status.stable
    if analysis is None or stable is None:
        return {}
    trial = max((metric.total.candidate for metric in analysis.metrics), default=0)
    other = max((metric.total.stable for metric in analysis.metrics), default=0)
    if status.previous is not None:
        return {stable.id: trial, status.previous.id: other}
    return {stable.id: other, analysis.candidate: trial}
