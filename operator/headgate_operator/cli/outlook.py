"""What a rollout of this manifest will do, in sentences: the manifest read back to the person who wrote it."""

from datetime import timedelta
from typing import Final

from headgate_operator.api.quantities import format_duration, format_share
from headgate_operator.api.spec import (
    HookType,
    Metric,
    MetricPreset,
    ModelDeploymentSpec,
    OnInsufficientData,
    OnSuspicion,
    ParityMode,
    QualityMetric,
    Strategy,
    fallback_answer,
)

_LOSSES = {QualityMetric.BRIER: "Brier score", QualityMetric.LOG_LOSS: "log loss", QualityMetric.ACCURACY: "share of errors"}

FALLBACKS: Final = "headgate_serving_fallbacks_total"
"""Where Headgate's model server counts answers that its model did not give."""


def outlook(spec: ModelDeploymentSpec) -> list[str]:
    """Return the sentences, in the order in which things will happen."""
    return [
        _start(spec),
        _parity(spec),
        *_hooks(spec),
        _steps(spec),
        _refusal(spec),
        *_fallbacks(spec),
        _promotion(spec),
        _watch(spec),
        *_labels(spec),
    ]


def _start(spec: ModelDeploymentSpec) -> str:
    deadline = format_duration(spec.rollout.progress_deadline)
    return (
        f"A new model starts next to the stable version, on runtime {spec.model.runtime}; it gets no traffic until it is ready, and "
        f"is reported as Stalled if it is not ready after {deadline}. The very first model takes all traffic as soon as it is ready."
    )


def _parity(spec: ModelDeploymentSpec) -> str:
    parity, config_map = spec.parity, spec.parity.golden.config_map if spec.parity.golden else None
    if parity.mode is ParityMode.OFF:
        return "Its answers are not checked before it gets traffic (parity is Off)."
    if config_map is None and spec.model.registry is None:
        return "Its answers are not checked before it gets traffic: the manifest names no golden set (parity is IfPresent)."
    tolerance = parity.tolerance
    golden = f"ConfigMap {config_map}" if config_map is not None else "its tag headgate.golden in the registry"
    missing = "; without that tag they are not checked" if config_map is None and parity.mode is ParityMode.IF_PRESENT else ""
    return (
        f"It must first reproduce the golden answers of {golden}{missing}; if one is off by more than {tolerance.absolute:g} + "
        f"{tolerance.relative:g} × the golden answer, it is refused before its first request."
    )


def _hooks(spec: ModelDeploymentSpec) -> list[str]:
    """Say whom it asks and tells on the way, if anybody."""
    words = {
        HookType.PRE_ROLLOUT: "must agree (answer 2xx) before its first request",
        HookType.PRE_PROMOTION: "must agree before it takes over",
        HookType.NOTIFY: "is told of every change of phase",
    }
    named = {kind: [hook.name for hook in spec.rollout.hooks if hook.type is kind] for kind in words}
    parts = [f"{_listed([f'the hook {name}' for name in names], last='and')} {words[kind]}" for kind, names in named.items() if names]
    return [f"{'; '.join(parts)}.".replace("the hook", "The hook", 1)] if parts else []


def _steps(spec: ModelDeploymentSpec) -> str:
    rollout = spec.rollout
    if rollout.strategy is not Strategy.CANARY:
        return _mirrored(spec)
    parts = [
        f"{'a pause until `headgate promote`, then ' if stage.pause_before else ''}{stage.weight} % for at least "
        f"{format_duration(stage.min_duration)} and {stage.min_requests} requests"
        for stage in rollout.stages
    ]
    if rollout.pause_at_end:
        parts.append("a pause until `headgate promote`")
    total = format_duration(sum((stage.min_duration for stage in rollout.stages), timedelta()))
    return f"It takes {_listed(parts)}: {total} at least{_limit(spec)}.{_frozen(spec)}"


def _limit(spec: ModelDeploymentSpec) -> str:
    longest = spec.rollout.max_duration
    return f", {format_duration(longest)} at most (not counting pauses)" if longest is not None else ""


def _frozen(spec: ModelDeploymentSpec) -> str:
    return " The manifest says `paused: true`: nothing moves until that is removed." if spec.paused else ""


def _mirrored(spec: ModelDeploymentSpec) -> str:
    rollout, stage = spec.rollout, spec.rollout.stages[0]
    pause = " after a pause until `headgate promote`" if rollout.pause_at_end else ""
    switch = (
        "then it waits, for as long as it takes, until `headgate promote` gives it all traffic at once"
        if rollout.strategy is Strategy.SHADOW
        else f"then it takes over all traffic at once{pause}"
    )
    return (
        f"It gets a copy of {rollout.shadow_percent} % of the requests, and its answers reach no client, for at least "
        f"{format_duration(stage.min_duration)} and {stage.min_requests} requests{_limit(spec)}; {switch}.{_frozen(spec)}"
    )


def _refusal(spec: ModelDeploymentSpec) -> str:
    metrics = _listed([_worse(metric) for metric in spec.analysis.metrics], last="or")
    rate = format_share(spec.analysis.false_rollback_rate)
    return (
        f"It is rolled back as soon as the evidence says that {metrics}. The chance that an equally good version is rolled back "
        f"is at most {rate}; failures closer together than {format_duration(spec.analysis.interval)} count as one burst."
    )


def _worse(metric: Metric) -> str:
    bound = format_duration(metric.slower_than or timedelta())
    what = {
        MetricPreset.GATEWAY_ERRORS: "fails",
        MetricPreset.GATEWAY_LATENCY: f"is slower than {bound}",
        MetricPreset.FALLBACKS: "answers with its fallback",
        None: "is bad",
    }[metric.preset]
    return f"it {what} more often than stable ({metric.name}: odds ratio above {metric.tolerated_odds_ratio:g})"


def _fallbacks(spec: ModelDeploymentSpec) -> list[str]:
    """Say that failures are hidden, if the model server has a fallback and no metric counts its answers."""
    answer = fallback_answer(spec)
    queries = [metric.prometheus.bad for metric in spec.analysis.metrics if metric.prometheus is not None]
    preset = any(metric.preset is MetricPreset.FALLBACKS for metric in spec.analysis.metrics)
    if answer is None or preset or any(FALLBACKS in query for query in queries):
        return []
    hidden = f"Where it is late or fails, its server answers {answer} instead, with HTTP 200: "
    if "metrics" not in spec.analysis.model_fields_set and spec.analysis.provider is None:
        return [f"{hidden}such answers are compared, too, if the operator reads a Prometheus (--prometheus); else nothing here sees them."]
    return [f"{hidden}no metric here sees that. Add one of preset fallbacks; a Prometheus has to scrape the pods."]


def _promotion(spec: ModelDeploymentSpec) -> str:
    shadow = spec.rollout.strategy is Strategy.SHADOW
    wait = f"if there are too few requests to tell, it holds for up to {format_duration(spec.rollout.hold_timeout)}, then {_then(spec)}."
    begin = "It counts as ready for `headgate promote`" if shadow else "After the last step it is promoted"
    follows = "it keeps watching for as long as that takes." if shadow else wait
    if not spec.analysis.require_promotion_evidence:
        return f"{begin} without evidence that it is good (requirePromotionEvidence is false); {follows}"
    confidence = format_share(spec.analysis.promotion_confidence)
    bounds = _listed([f"{metric.name} {format_share(metric.good_enough)}" for metric in spec.analysis.metrics], last="and")
    return f"{begin} once, with {confidence} confidence, it is not twice as bad as stable or is below the maximum ({bounds}); {follows}"


def _then(spec: ModelDeploymentSpec) -> str:
    return {
        OnInsufficientData.HOLD: "a person has to decide",
        OnInsufficientData.ROLLBACK: "it is refused",
        OnInsufficientData.PROMOTE: "it continues without them",
    }[spec.rollout.on_insufficient_data]


def _watch(spec: ModelDeploymentSpec) -> str:
    rollout = spec.rollout
    keep = format_duration(rollout.scale_down_delay)
    if not rollout.watch.duration:
        return f"There is no watch after promotion; the previous version is kept warm for {keep}."
    return (
        f"For {format_duration(rollout.watch.duration)} after promotion it is still compared with the previous version, which keeps "
        f"{rollout.watch.holdback} % of the traffic, and rolled back if it is worse; then the previous version is kept warm for {keep}."
    )


def _listed(parts: list[str], *, last: str = "then") -> str:
    if len(parts) == 1:
        return parts[0]
    joiner = f", {last} " if last == "then" else f" {last} "
    return ", ".join(parts[:-1]) + joiner + parts[-1]


def _labels(spec: ModelDeploymentSpec) -> list[str]:
    if spec.ground_truth is None:
        return []
    truth, rate = spec.ground_truth, format_share(spec.analysis.false_rollback_rate)
    follows = {
        OnSuspicion.ALERT: "people are told",
        OnSuspicion.HOLD: "the rollout waits for a person",
        OnSuspicion.ROLLBACK: "it is refused",
    }[truth.on_worse]
    return [
        f"Labels may come up to {format_duration(truth.horizon)} after their predictions; once they show (with an error of {rate}) that "
        f"its {_LOSSES[truth.metric]} is above stable's by more than {truth.margin:g}, {follows}. Without labels nothing follows from them."
    ]
