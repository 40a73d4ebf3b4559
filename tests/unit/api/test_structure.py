"""What a schema refuses is told in a sentence at its place."""

import pytest

from headgate_operator.api.rules import violations

REFUSED = [
    ("apiVersion", "headgate.dev/v9", "apiVersion", "must be headgate.dev/v1alpha1"),
    ("kind", "InferenceService", "kind", "must be ModelDeployment"),
    ("metadata.name", None, "metadata.name", "is required"),
    ("spec", None, "spec", "is required"),
    ("spec.model", None, "spec.model", "is required"),
    ("spec.model.runtime", None, "spec.model.runtime", "is required"),
    ("spec.model.runtime", "Head Gate", "spec.model.runtime", "must be a DNS label"),
    ("spec.model.format.version", 3, "spec.model.format.version", "must be a string; put it in quotes, not 3"),
    ("spec.model.protocol", "v3", "spec.model.protocol", "must be 'v1' or 'v2', not \"v3\""),
    ("spec.rollout.steps.0.weight", 0, "spec.rollout.steps[0].weight", "must be at least 1, not 0"),
    ("spec.rollout.steps.0.weight", 101, "spec.rollout.steps[0].weight", "must be at most 100"),
    ("spec.rollout.steps.0.weight", "10", "spec.rollout.steps[0].weight", "must be a whole number"),
    ("spec.rollout.steps.0.minDuration", "15 seconds", "spec.rollout.steps[0].minDuration", "such as 90s, 5m, 1h30m or 30d"),
    ("spec.rollout.steps", [], "spec.rollout.steps", "at least 1 entry"),
    ("spec.rollout.steps", 5, "spec.rollout.steps", "must be a list"),
    ("spec.rollout.strategy", "Rolling", "spec.rollout.strategy", "must be 'Canary', 'BlueGreen' or 'Shadow'"),
    ("spec.rollout.watch.holdback", 101, "spec.rollout.watch.holdback", "must be at most 100"),
    ("spec.analysis.falseRollbackRate", "100%", "spec.analysis.falseRollbackRate", "above 0% and below 100%"),
    ("spec.analysis.falseRollbackRate", "0.0%", "spec.analysis.falseRollbackRate", "above 0% and below 100%"),
    ("spec.analysis.falseRollbackRate", 0.01, "spec.analysis.falseRollbackRate", "above 0% and below 100%"),
    ("spec.analysis.metrics.0.tolerate", 0.5, "spec.analysis.metrics[0].tolerate", "must be at least 1"),
    ("spec.analysis.provider.envoy.addresses", ["10.0.0.1:19001"], "spec.analysis.provider.envoy.addresses[0]", "http://"),
    ("spec.serving.hostnames", ["https://a.example.com"], "spec.serving.hostnames[0]", "must be a host name"),
    ("spec.parity.mode", "Maybe", "spec.parity.mode", "must be 'IfPresent', 'Required' or 'Off'"),
    ("spec.parity", "Off", "spec.parity", "must be a mapping"),
]


@pytest.mark.parametrize(("changed", "value", "path", "words"), REFUSED, ids=[f"{row[0]}={row[1]}"[:60] for row in REFUSED])
def test_a_wrong_shape_is_refused_at_its_place_in_words(manifest, changed, value, path, words):
    (violation,) = violations(manifest(changed, value))
    assert violation.path == path
    assert words in violation.message


def test_wrong_types_hide_broken_rules_as_on_an_api_server(manifest):
    obj = manifest("spec.model.uri", "models:/flight-delay/7")
    obj["spec"]["rollout"]["steps"][0]["weight"] = "10"
    assert [violation.path for violation in violations(obj)] == ["spec.rollout.steps[0].weight"]


def test_unknown_fields_are_left_to_whoever_reads_manifests(manifest):
    assert violations(manifest("spec.rolout", {})) == []
