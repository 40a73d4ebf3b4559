"""Series about each ModelDeployment, as lines of Prometheus' text format, written when a look has seen it: they vanish with it.

A client library's own gauges would keep a lock and a value for every label set, and write all of them out for every scrape: with thousands
of objects that is more memory than all the rest, and half a second in which nothing else runs. Labels are bounded by what they say: one
phase, a handful of roles and ten metrics for an object.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import AnalysisStatus, ModelDeploymentStatus, Phase
from headgate_operator.controller.object_rows import Rows, followed, holds, retraining, troubles, unwritten, versions

Key = tuple[str, str]

_FAMILIES: Final = {
    "headgate_rollout_phase": "1 for the present phase of each object.",
    "headgate_traffic_weight_percent": "Percent of traffic by role, as the route was seen to say.",
    "headgate_candidate_mirror_percent": "Percent of requests of which the candidate gets a copy, as the route was seen to say.",
    "headgate_rollback_evidence_ratio": "Evidence that the version on trial is worse, as a part of what rolls it back: 1 is a rollback.",
    "headgate_promotion_evidence_ratio": "Evidence that the version on trial is good enough, as a part of what promotes it.",
    "headgate_model_owner": "1 for each object whose manifest names an owner.",
    "headgate_trouble": "1 for each condition that is not as it should be.",
    "headgate_version_since_timestamp_seconds": "Since when a version has its role: stable, candidate, previous or draining.",
    "headgate_hold_since_timestamp_seconds": "Since when the rollout holds without a break, by its present reason.",
    "headgate_retraining_run_timestamp_seconds": "When the last training run was decided on, by how it stands.",
    "headgate_registry_version": "1 for the version that the followed alias of the model registry names.",
    "headgate_registry_unwritten": "Tags and aliases that the model registry has not acknowledged.",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is told of one object."""

    phase: Phase
    lines: tuple[str, ...]
    """By family, in their order."""


class ObjectSeries:
    """The present state of every object this process serves."""

    def __init__(self) -> None:
        self._shown: dict[Key, _Shown] = {}

    def show(self, key: Key, status: ModelDeploymentStatus, owner: Owner | None) -> None:
        """Replace what is told of an object."""
        rows = _rows(status, owner)
        self._shown[key] = _Shown(status.phase, tuple(_lines(family, key, rows[family]) for family in _FAMILIES))

    def forget(self, key: Key) -> None:
        """Drop the series of an object that is gone, or that another shard serves."""
        self._shown.pop(key, None)

    def render(self) -> str:
        """Return all families."""
        phases = Counter(shown.phase for shown in self._shown.values())
        parts = [_head("headgate_rollouts", "Objects by phase.")]
        parts += [f'headgate_rollouts{{phase="{phase.value}"}} {float(phases[phase])}\n' for phase in Phase]
        for number, (family, text) in enumerate(_FAMILIES.items()):
            parts.append(_head(family, text))
            parts += [shown.lines[number] for shown in self._shown.values()]
        return "".join(parts)


def _rows(status: ModelDeploymentStatus, owner: Owner | None) -> dict[str, Rows]:
    """Return what each family says of an object: labels and value."""
    mirror, evidence = _mirror(status), _evidence(status.analysis)
    words = None if owner is None else {"team": owner.team or "", "contact": owner.contact or "", "runbook": owner.runbook or ""}
    return {
        "headgate_rollout_phase": [({"phase": status.phase.value}, 1.0)],
        "headgate_traffic_weight_percent": [({"role": role}, float(weight)) for role, weight in _weights(status)],
        "headgate_candidate_mirror_percent": [] if mirror is None else [({}, float(mirror))],
        "headgate_rollback_evidence_ratio": [({"metric": metric}, rollback) for metric, rollback, _ in evidence],
        "headgate_promotion_evidence_ratio": [({"metric": metric}, promotion) for metric, _, promotion in evidence],
        "headgate_model_owner": [] if words is None else [(words, 1.0)],
        "headgate_trouble": troubles(status),
        "headgate_version_since_timestamp_seconds": versions(status),
        "headgate_hold_since_timestamp_seconds": holds(status),
        "headgate_retraining_run_timestamp_seconds": retraining(status),
        "headgate_registry_version": followed(status),
        "headgate_registry_unwritten": unwritten(status),
    }


def _head(family: str, text: str) -> str:
    return f"# HELP {family} {text}\n# TYPE {family} gauge\n"


def _lines(family: str, key: Key, rows: Rows) -> str:
    return "".join(f"{family}{{{_labels({'namespace': key[0], 'name': key[1], **labels})}}} {value}\n" for labels, value in rows)


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    """Return a label's value as the text format wants it: people write owners, with quotes if they like."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _weights(status: ModelDeploymentStatus) -> tuple[tuple[str, int], ...]:
    """Return the weight of each role that there is; what the route says of any other version is a fault that conditions tell of."""
    seen = {traffic.id: traffic.weight for traffic in status.traffic}
    roles = (("stable", status.stable), ("candidate", status.candidate), ("previous", status.previous))
    return tuple((role, seen.get(version.id, 0)) for role, version in roles if version is not None)


def _mirror(status: ModelDeploymentStatus) -> int | None:
    if status.candidate is None:
        return None
    return next((traffic.mirror for traffic in status.traffic if traffic.id == status.candidate.id), 0)


def _evidence(analysis: AnalysisStatus | None) -> tuple[tuple[str, float, float], ...]:
    metrics = analysis.metrics if analysis is not None else ()
    return tuple(
        (one.name, _part(one.evidence, one.bound), _part(one.promotion_evidence, one.promotion_bound))
        for one in metrics
    )  # fmt: skip


def _part(evidence: float, bound: float) -> float:
    """Return how far evidence has come; 0 before there is a bound."""
    return evidence / bound if bound > 0 else 0.0
