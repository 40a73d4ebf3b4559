"""The `status` of a ModelDeployment, one module a part of it; `deployment` has the whole."""

from headgate_operator.api.status.analysis import AnalysisStatus, FailStreak, MetricStatus, Mixture, Sample, SideCounts, Traffic, Verdict
from headgate_operator.api.status.changes import ChangeEvidence, ChangeKind, TrafficChange, TrafficShare
from headgate_operator.api.status.conditions import CommandStatus, Condition, ConditionStatus, ConditionType, Phase
from headgate_operator.api.status.deployment import ModelDeploymentStatus
from headgate_operator.api.status.drift import DriftedFeature, DriftStatus, Signal
from headgate_operator.api.status.records import HistoryEntry, RefusalEvidence, Rejected
from headgate_operator.api.status.registry import Outcome, RegistryMark, RegistryStatus, RegistryVersion
from headgate_operator.api.status.retraining import RetrainingStatus, RunState
from headgate_operator.api.status.revisions import (
    Candidate,
    Draining,
    HookResult,
    HookStatus,
    Notice,
    ParityResult,
    Pinned,
    Previous,
    Rendered,
    Stable,
    Waiver,
)

__all__ = [
    "AnalysisStatus",
    "Candidate",
    "ChangeEvidence",
    "ChangeKind",
    "CommandStatus",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "Draining",
    "DriftStatus",
    "DriftedFeature",
    "FailStreak",
    "HistoryEntry",
    "HookResult",
    "HookStatus",
    "MetricStatus",
    "Mixture",
    "ModelDeploymentStatus",
    "Notice",
    "Outcome",
    "ParityResult",
    "Phase",
    "Pinned",
    "Previous",
    "RefusalEvidence",
    "RegistryMark",
    "RegistryStatus",
    "RegistryVersion",
    "Rejected",
    "Rendered",
    "RetrainingStatus",
    "RunState",
    "Sample",
    "SideCounts",
    "Signal",
    "Stable",
    "Traffic",
    "TrafficChange",
    "TrafficShare",
    "Verdict",
    "Waiver",
]
