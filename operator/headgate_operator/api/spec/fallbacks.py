"""A model server that answers in any case hides its failures behind HTTP 200: then its fallbacks are judged, too.

The variable and the flag are those of Headgate's own model server (docs/serving.md).
"""

from typing import Final

from headgate_operator.api.spec.analysis import Metric, MetricPreset
from headgate_operator.api.spec.deployment import ModelDeploymentSpec

_FLAG: Final = "--fallback="
_VARIABLE: Final = "HEADGATE_SERVING_FALLBACK"


def fallback_answer(spec: ModelDeploymentSpec) -> str | None:
    """Return what the model server answers where its model cannot, as `predictor` tells it; None if it tells of none."""
    variables = [str(entry.get("value", "")) for entry in spec.predictor.env or () if entry.get("name") == _VARIABLE]
    flags = [argument.removeprefix(_FLAG) for argument in spec.predictor.args or () if argument.startswith(_FLAG)]
    told = flags or variables
    return told[-1] if told and told[-1] != "off" else None


def counting_fallbacks(spec: ModelDeploymentSpec, *, prometheus: bool) -> ModelDeploymentSpec:
    """Add the metric `fallbacks` to metrics that nobody chose, where there are fallbacks and something that can tell their number.

    `prometheus` says whether counters come from a Prometheus where the manifest names no provider.
    """
    analysis = spec.analysis
    there = analysis.provider.prometheus is not None if analysis.provider is not None else prometheus
    if "metrics" in analysis.model_fields_set or not there or fallback_answer(spec) is None:
        return spec
    metrics = [*analysis.metrics, Metric(name="fallbacks", preset=MetricPreset.FALLBACKS)]
    return spec.model_copy(update={"analysis": analysis.model_copy(update={"metrics": metrics})})
