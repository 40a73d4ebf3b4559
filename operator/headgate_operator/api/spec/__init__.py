"""The `spec` of a ModelDeployment, one module a part of it; `deployment` has the whole."""

from headgate_operator.api.spec.analysis import (
    Analysis,
    EnvoyProvider,
    Metric,
    MetricPreset,
    PrometheusProvider,
    PrometheusQueries,
    Provider,
    SeriesPreset,
)
from headgate_operator.api.spec.deployment import ModelDeploymentSpec, Owner
from headgate_operator.api.spec.drift import (
    Drift,
    DriftFeatures,
    GroundTruth,
    OnInputDrift,
    OnSuspicion,
    QualityMetric,
    Reference,
    Window,
)
from headgate_operator.api.spec.fallbacks import counting_fallbacks, fallback_answer
from headgate_operator.api.spec.model import Model, ModelFormat, Protocol, Registry
from headgate_operator.api.spec.parity import Golden, Parity, ParityMode, Tolerance
from headgate_operator.api.spec.predictor import Predictor, Replicas, ScaleMetric
from headgate_operator.api.spec.retraining import Pipeline, Retraining, RetrainingTriggers
from headgate_operator.api.spec.rollout import Hook, HookType, OnInsufficientData, Rollout, Stage, Step, Strategy, Watch
from headgate_operator.api.spec.serving import Gateway, Serving, ServingMode

__all__ = [
    "Analysis",
    "Drift",
    "DriftFeatures",
    "EnvoyProvider",
    "Gateway",
    "Golden",
    "GroundTruth",
    "Hook",
    "HookType",
    "Metric",
    "MetricPreset",
    "Model",
    "ModelDeploymentSpec",
    "ModelFormat",
    "OnInputDrift",
    "OnInsufficientData",
    "OnSuspicion",
    "Owner",
    "Parity",
    "ParityMode",
    "Pipeline",
    "Predictor",
    "PrometheusProvider",
    "PrometheusQueries",
    "Protocol",
    "Provider",
    "QualityMetric",
    "Reference",
    "Registry",
    "Replicas",
    "Retraining",
    "RetrainingTriggers",
    "Rollout",
    "ScaleMetric",
    "SeriesPreset",
    "Serving",
    "ServingMode",
    "Stage",
    "Step",
    "Strategy",
    "Tolerance",
    "Watch",
    "Window",
    "counting_fallbacks",
    "fallback_answer",
]
