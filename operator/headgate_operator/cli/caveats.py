"""Where a plan and its traffic do not fit together, in words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from headgate_operator.api.quantities import format_duration, format_share
from headgate_operator.api.spec import OnInsufficientData, Strategy
from headgate_operator.cli.forecast import FAULTS, Forecast
from headgate_operator.cli.rehearsal import Stage
from headgate_operator.rollout.analysis.verdicts import promotion_bound
from headgate_operator.stats.block import Block
from headgate_operator.stats.outlook import requests_until_promotion
from headgate_operator.stats.promotion import PromotionEvidence

_OFTEN = 0.05
_MUCH_LONGER = 2
_LARGE = 100_000
"""Requests of a sample large enough to show the base rate."""


_FOLLOWS: Final = {
    OnInsufficientData.HOLD: "then a person has to decide",
    OnInsufficientData.ROLLBACK: "then the version is refused",
    OnInsufficientData.PROMOTE: "then it continues without them",
}
"""What the manifest wants when holdTimeout is over."""


def caveats(forecast: Forecast) -> list[str]:
    """Return one sentence for each thing that a person should know before relying on the plan."""
    return [sentence for check in _CHECKS for sentence in check(forecast)]


def at_share(stage: Stage) -> str:
    """Write what share of the requests the version on trial gets."""
    return f"{stage.mirror} % mirrored" if stage.mirror else f"{stage.weight} %"


def seconds(duration: timedelta) -> str:
    """Write a duration in whole seconds."""
    return format_duration(timedelta(seconds=round(duration.total_seconds())))


def _slow_steps(forecast: Forecast) -> Iterator[str]:
    scene = forecast.scene
    limit = scene.spec.rollout.hold_timeout
    for number, stage in enumerate(scene.stages, 1):
        takes = _time_for(stage.min_requests, stage, scene.rate)
        name = f"step {number} ({at_share(stage)})"
        needs = f"{stage.min_requests} candidate requests take {seconds(takes)} at {scene.rate:g} requests a second"
        if takes > stage.min_duration + limit:
            yield (
                f"{name} cannot end in time: {needs}, longer than its {seconds(stage.min_duration)} and holdTimeout {seconds(limit)} "
                f"together; {_FOLLOWS[scene.spec.rollout.on_insufficient_data]}. Lower minRequests, raise the weight or raise holdTimeout."
            )
        elif takes > _MUCH_LONGER * stage.min_duration:
            yield f"{name} takes {seconds(takes)} rather than {seconds(stage.min_duration)}: {needs}."


def _promotion(forecast: Forecast) -> Iterator[str]:
    scene, missing = forecast.scene, forecast.promotion.of - forecast.promotion.happened
    if missing <= _OFTEN * forecast.promotion.of or not scene.spec.analysis.require_promotion_evidence:
        return
    last = next(stage for stage in reversed(scene.stages) if not stage.watch)
    rollout = scene.spec.rollout
    most = f" and maxDuration {seconds(rollout.max_duration)}" if rollout.max_duration is not None else ""
    follows = _FOLLOWS[rollout.on_insufficient_data]
    yield (
        f"the traffic is too small to promote a good version reliably: in {missing} of {forecast.promotion.of} rehearsals the evidence "
        f"was not there in time (holdTimeout {seconds(rollout.hold_timeout)}{most}); {follows}. {_needed(forecast, last)} Give it longer, "
        f"raise the weights or maximum, or lower promotionConfidence."
    )


def _needed(forecast: Forecast, last: Stage) -> str:
    """Say what the operator's own outlook says of a version that shows exactly the base rate."""
    scene, settings = forecast.scene, forecast.scene.spec.analysis
    bad = round(_LARGE * scene.base_rate)
    so_far = Block(candidate_total=_LARGE, candidate_bad=bad, stable_total=_LARGE, stable_bad=bad)
    fresh = [PromotionEvidence(maximum=metric.good_enough) for metric in settings.metrics]
    outlook = [requests_until_promotion(evidence, promotion_bound(settings), so_far=so_far) for evidence in fresh]
    found = [needed for needed in outlook if needed is not None]
    if len(found) < len(outlook):
        return f"With {scene.base_rate:.2%} bad answers it never comes."
    return f"It takes about {max(found)} candidate requests, {seconds(_time_for(max(found), last, scene.rate))} at {at_share(last)}."


def _noticed_late(forecast: Forecast) -> Iterator[str]:
    total = FAULTS.index(1.0)
    for number, (stage, caught) in enumerate(zip(forecast.scene.stages, forecast.caught, strict=True), 1):
        lasts = stage.min_duration if stage.watch else max(stage.min_duration, _time_for(stage.min_requests, stage, forecast.scene.rate))
        name = "the watch" if stage.watch else f"step {number} ({at_share(stage)})"
        if not caught[total].of:
            continue
        if not caught[total].usual:
            yield f"{name} does not notice a version that fails every request: too few requests reach it."
        elif caught[total].time[0] > lasts:
            yield f"{name} lasts {seconds(lasts)}, but needs {seconds(caught[total].time[0])} to notice a version that fails every request."


def _ill_anyway(forecast: Forecast) -> Iterator[str]:
    base = forecast.scene.base_rate
    for metric in forecast.scene.spec.analysis.metrics:
        if metric.maximum is not None and base > metric.maximum:
            yield (
                f"{metric.name}: {format_share(base)} of a good version's answers are bad, more than maximum "
                f"{format_share(metric.maximum)} allows: it will not be promoted."
            )


def _unwatched(forecast: Forecast) -> Iterator[str]:
    watch = forecast.scene.spec.rollout.watch
    if watch.duration and not watch.holdback:
        yield "the watch has nothing to compare with: holdback is 0, so the promoted version is not rolled back on evidence."


def _cut_short(forecast: Forecast) -> Iterator[str]:
    for stage in forecast.scene.stages:
        rehearsed = forecast.scene.rehearsed(stage)
        if rehearsed < stage.min_duration:
            of = f"of the watch of {seconds(stage.min_duration)} the first {seconds(rehearsed)} are rehearsed"
            yield f"{of}; what comes later is not counted."


def _waiting(forecast: Forecast) -> Iterator[str]:
    if forecast.scene.spec.paused:
        yield "the manifest says `paused: true`: nothing moves until that is removed; the rehearsals ignore it."
    if forecast.scene.spec.rollout.strategy is Strategy.SHADOW:
        yield "a shadow never takes over without `headgate promote`; the rehearsals count it as promoted as soon as it is good enough."
    elif any(stage.pause_before for stage in forecast.scene.stages):
        yield "pause steps wait for `headgate promote`; the rehearsals do not wait there."


_CHECKS: Final = (_slow_steps, _promotion, _noticed_late, _ill_anyway, _unwatched, _cut_short, _waiting)


def _time_for(requests: int, stage: Stage, rate: float) -> timedelta:
    return timedelta(seconds=requests / (rate * stage.share))
