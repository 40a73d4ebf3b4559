"""Knative mode: which template and which percentage the one InferenceService gets next, and the object that says so.

KServe's rules, each of which promotes or brings back a revision that nobody meant if it is forgotten:

- Without a percentage everything goes to the latest ready revision, and so it does before any revision had everything: always written.
- It is about the latest *ready* revision. While a new one starts that is the one before, even if it was refused: 0 until it is settled.
- Below 100, onto a revision that was rolled out, it brings the revision before back: a new template comes with its 0, in one write.
- What it leaves goes to the revision that was last rolled out: a candidate is applied only while that is the stable one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.status import Rendered
from headgate_operator.kserve.children import PERCENT, Owner, Scaling, inference_service
from headgate_operator.kserve.knative import KnativeState


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was decided, by our ids."""

    stable: str | None
    candidate: str | None
    weights: Mapping[str, int]
    """Percent of the traffic; who has none is left out."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """The next write."""

    template: str | None
    """Id of the revision whose template is applied; None: it stays as it is."""
    percent: int


def next_step(state: KnativeState | None, wish: Wish) -> Step:
    """Return what to write next. `state` is None if there is no InferenceService yet."""
    template = _template(state, wish)
    return Step(template=template, percent=_percent(state, wish, template))


def percent_only(state: KnativeState, wish: Wish) -> Step:
    """Return the next write where the template to apply is not known any more: after a lost status."""
    return Step(template=None, percent=_percent(state, wish, None))


def _template(state: KnativeState | None, wish: Wish) -> str | None:
    if wish.stable is None:
        return wish.candidate
    if state is None:
        return wish.stable  # first of all: the first template gets everything
    if state.id(state.rolled_out) == wish.stable or (wish.candidate is None and state.template == wish.stable):
        return wish.candidate or (wish.stable if state.template == wish.stable else None)
    if state.template != wish.stable and state.falls_back_to(wish.stable):
        return wish.candidate if state.template == wish.candidate else None
    return wish.stable  # somebody made Knative forget it: rolled out again before anything else


def _percent(state: KnativeState | None, wish: Wish, template: str | None) -> int:
    if state is None or template not in (None, state.template):
        return 0
    alone = state.template == wish.stable and wish.candidate is not None
    wanted = 100 if alone else wish.weights.get(state.template, 0)
    present = 100 if state.percent is None else state.percent
    return wanted if wanted <= present or state.settled(state.template) else present


def knative_service(rendered: Rendered, *, owner: Owner, scaling: Scaling, percent: int) -> dict[str, Any]:
    """Return the InferenceService to apply."""
    obj = inference_service(rendered, owner=owner, scaling=scaling)
    return obj | {"spec": obj["spec"] | {"predictor": obj["spec"]["predictor"] | {PERCENT: percent}}}


def live_scaling(isvc: Mapping[str, Any]) -> Scaling:
    """Return the replica bounds of the live object: other ones would make another revision."""
    predictor = isvc["spec"]["predictor"]
    least = predictor.get("minReplicas", 1)
    return Scaling(
        min_replicas=least,
        max_replicas=predictor.get("maxReplicas", least),
        metric=predictor.get("scaleMetric"),
        target=predictor.get("scaleTarget"),
    )
