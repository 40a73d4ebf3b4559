"""What a model card says, before it is Markdown or HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN_FEATURES = 15
NOT_SAID = "Not said."
NOT_MEASURED = "Not measured."

Row = tuple[object, ...]


@dataclass(frozen=True)
class Section:
    """A heading with a text, a table, or both."""

    title: str
    text: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Words:
    """What only a person can say; empty where nobody did."""

    owner: str = ""
    intended_use: str = ""
    limits: str = ""


@dataclass(frozen=True)
class Measured:
    """What the evaluation steps left; None where the step was not run."""

    metrics: Mapping[str, Any]
    fairness: Mapping[str, Any] | None = None
    comparison: Mapping[str, Any] | None = None
    importance: Mapping[str, Any] | None = None


def sections(registration: Mapping[str, Any], measured: Measured, words: Words) -> list[Section]:
    """The card's sections, in order."""
    return [
        _identity(registration, words.owner),
        Section("Intended use", words.intended_use or NOT_SAID),
        Section("Limits", words.limits or NOT_SAID),
        _data(registration, measured.metrics),
        _numbers("Metrics", measured.metrics, NOT_MEASURED),
        _numbers("Fairness: largest differences between groups", measured.fairness, NOT_MEASURED),
        _numbers("Against the champion", measured.comparison, NOT_MEASURED, empty="There was no champion to compare with."),
        _importance(measured.importance),
        _numbers("Training settings", registration.get("settings"), NOT_SAID),
    ]


def _identity(registration: Mapping[str, Any], owner: str) -> Section:
    lineage = registration.get("lineage") or {}
    facts = {
        "model": registration.get("modelName"),
        "version": registration.get("version"),
        "owner": owner,
        "exported to": registration.get("exportUri"),
        "registry run": registration.get("runId"),
        "pipeline run": lineage.get("pipelineRun"),
        "git commit": lineage.get("gitCommit"),
        "model digest": lineage.get("modelDigest"),
        "features digest": lineage.get("featuresDigest"),
        "drift reference digest": lineage.get("referenceDigest"),
    }
    return Section("Identity", header=("what", "which"), rows=tuple((name, value or "not said") for name, value in facts.items()))


def _data(registration: Mapping[str, Any], metrics: Mapping[str, Any]) -> Section:
    dataset, period = (registration.get(name) or {} for name in ("dataset", "trainingPeriod"))
    facts = {
        "dataset": dataset.get("name"),
        "snapshot": dataset.get("snapshot"),
        "trained on": " to ".join(str(period[end]) for end in ("start", "end") if period.get(end)),
        "training rows": dataset.get("rows"),
        "evaluation rows": metrics.get("rows"),
    }
    return Section("Data", header=("what", "which"), rows=tuple((name, value or "not said") for name, value in facts.items()))


def _numbers(title: str, found: Mapping[str, Any] | None, absent: str, *, empty: str = "") -> Section:
    if not found:
        return Section(title, absent if found is None or not empty else empty)
    return Section(title, header=("name", "value"), rows=tuple(found.items()))


def _importance(found: Mapping[str, Any] | None) -> Section:
    title = "What moves its predictions"
    features: Sequence[Mapping[str, Any]] = (found or {}).get("features") or ()
    if not features:
        return Section(title, NOT_MEASURED)
    rows = tuple((feature.get("name"), feature.get("meanAbsoluteContribution"), feature.get("share")) for feature in features)
    left = f"The first {SHOWN_FEATURES} of {len(rows)} features." if len(rows) > SHOWN_FEATURES else ""
    return Section(title, left, ("feature", "mean contribution (log-odds)", "share"), rows[:SHOWN_FEATURES])
