"""Rules about parity, drift, labels and retraining."""

from collections.abc import Mapping
from typing import Any

from headgate_operator.api.rules.rule import Rule, above_zero


def _has_golden(spec: Mapping[str, Any]) -> bool:
    return spec["parity"].get("golden") is not None or spec["model"].get("registry") is not None


def _enough_rows(window: Mapping[str, Any]) -> bool:
    rows, minimum = window.get("rows", 500), window.get("minimumRows", 100)
    return bool(minimum <= rows)


def _by_labels(spec: Mapping[str, Any]) -> bool:
    triggers = (spec.get("retraining") or {}).get("on") or {}
    return triggers.get("skillDrop") is not None or triggers.get("accuracyDrop") is not None


RULES: tuple[Rule, ...] = (
    Rule(
        at="spec",
        shown_at="parity",
        sentence="parity mode Required needs golden.configMap, the ConfigMap with golden inputs and outputs, or a model from a registry",
        cel="self.parity.mode != 'Required' || has(self.parity.golden) || has(self.model.registry)",
        holds=lambda spec: spec.get("parity", {}).get("mode") != "Required" or _has_golden(spec),
    ),
    Rule(
        at="spec.drift.window",
        shown_at="minimumRows",
        sentence="minimumRows must not be above rows (defaults: 100 of 500): no window would ever have enough",
        cel="(has(self.minimumRows) ? self.minimumRows : 100) <= (has(self.rows) ? self.rows : 500)",
        holds=_enough_rows,
    ),
    Rule(
        at="spec",
        shown_at="drift.onInputDrift",
        sentence="onInputDrift Retrain needs retraining.pipeline, the pipeline to start",
        cel="!has(self.drift) || !has(self.drift.onInputDrift) || self.drift.onInputDrift != 'Retrain' || has(self.retraining)",
        holds=lambda spec: (spec.get("drift") or {}).get("onInputDrift") != "Retrain" or spec.get("retraining") is not None,
    ),
    Rule(
        at="spec",
        shown_at="retraining",
        sentence="retraining needs drift or groundTruth: nothing else can start it",
        cel="!has(self.retraining) || has(self.drift) || has(self.groundTruth)",
        holds=lambda spec: spec.get("retraining") is None or spec.get("drift") is not None or spec.get("groundTruth") is not None,
    ),
    Rule(
        at="spec",
        shown_at="retraining.on",
        sentence="skillDrop and accuracyDrop need groundTruth: without labels nobody knows how good predictions are",
        cel="!has(self.retraining) || !has(self.retraining.on) || has(self.groundTruth) || "
        "(!has(self.retraining.on.skillDrop) && !has(self.retraining.on.accuracyDrop))",
        holds=lambda spec: spec.get("groundTruth") is not None or not _by_labels(spec),
    ),
    above_zero("spec.drift.window.duration"),
    above_zero("spec.drift.targetFalseAlarmInterval"),
    above_zero("spec.groundTruth.horizon"),
    above_zero("spec.retraining.cooldown"),
)
