"""Each rule refuses what it is about with its own sentence, and nothing else."""

import pytest

from headgate_operator.api.rules import RULES, violations

REFUSED = [
    ("metadata.name", "f" * 41, "metadata.name", "at most 40 characters"),
    ("metadata.name", "flight.delay", "metadata.name", "must be a DNS label"),
    ("metadata.name", "7flights", "metadata.name", "starts with a letter"),
    ("spec.model.uri", "models:/flight-delay/7", "spec.model.uri", "cannot be read by KServe"),
    ("spec.model.uri", "mlflow-artifacts:/1/model", "spec.model.uri", "cannot be read by KServe"),
    ("spec.model.uri", "/mnt/models/7", "spec.model.uri", "with a scheme"),
    ("spec.model.uri", "s3://", "spec.model.uri", "with a scheme"),
    ("spec.predictor.replicas", {"min": 3, "max": 2}, "spec.predictor.replicas", "min must not be above"),
    ("spec.serving.requestTimeout", "0s", "spec.serving.requestTimeout", "longer than 0s"),
    ("spec.rollout.progressDeadline", "0m", "spec.rollout.progressDeadline", "longer than 0s"),
    ("spec.rollout.holdTimeout", "0h0m", "spec.rollout.holdTimeout", "longer than 0s"),
    ("spec.rollout.maxDuration", "0d", "spec.rollout.maxDuration", "longer than 0s"),
    ("spec.analysis.interval", "0ms", "spec.analysis.interval", "longer than 0s"),
    ("spec.analysis.provider.envoy.flush", "0s", "spec.analysis.provider.envoy.flush", "longer than 0s"),
    ("spec.analysis.metrics.1.slowerThan", "0s", "spec.analysis.metrics[1].slowerThan", "longer than 0s"),
    ("spec.analysis.provider.envoy.cluster", "{{Name}}/{{slot}}", "spec.analysis.provider.envoy.cluster", "and no others"),
    ("spec.analysis.provider.envoy.cluster", "isvc/{{name}}", "spec.analysis.provider.envoy.cluster", "tell the versions apart"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 10}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 25}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 100}], "spec.rollout.steps[1].weight", "must be below 100"),
    ("spec.rollout.steps", [{"weight": 25}, {"pause": True}, {"weight": 10}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"pause": True}], "spec.rollout.steps", "at least one with a weight"),
    ("spec.rollout.steps", [{"weight": 25}, {}], "spec.rollout.steps[1]", "either a weight or pause: true"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 50, "pause": True}], "spec.rollout.steps[1]", "either a weight or pause: true"),
    ("spec.rollout.watch.holdback", 51, "spec.rollout.watch.holdback", "at most 50"),
    ("spec.analysis.metrics.1.name", "errors", "spec.analysis.metrics", "different names"),
    ("spec.analysis.metrics.1.slowerThan", None, "spec.analysis.metrics[1]", "needs slowerThan"),
    ("spec.analysis.metrics.0.slowerThan", "1s", "spec.analysis.metrics[0]", "gateway-latency metrics only"),
    ("spec.parity.golden", None, "spec.parity", "needs golden.configMap"),
]


@pytest.mark.parametrize(("changed", "value", "path", "words"), REFUSED, ids=[f"{row[0]}={row[1]}"[:60] for row in REFUSED])
def test_a_broken_rule_is_refused_at_its_place_in_its_words(manifest, changed, value, path, words):
    (violation,) = violations(manifest(changed, value))
    assert violation.path == path
    assert words in violation.message


def test_every_rule_is_exercised_by_the_table(manifest):
    said = {v.message for changed, value, _, _ in REFUSED for v in violations(manifest(changed, value))}
    untested = {rule.sentence for rule in RULES if rule.holds is not None} - said
    assert not untested


def test_a_valid_manifest_breaks_no_rule(manifest):
    assert violations(manifest()) == []


def test_a_manifest_of_five_lines_breaks_no_rule(manifest):
    obj = manifest()
    obj["spec"] = {"model": obj["spec"]["model"]}
    assert violations(obj) == []


def test_the_serving_mode_cannot_be_changed(manifest):
    old = manifest()
    old["spec"]["serving"]["mode"] = "Knative"  # as an operator with more modes might have stored it
    assert violations(manifest(), manifest()) == []
    (violation,) = violations(manifest(), old)
    assert violation.path == "spec.serving.mode"
    assert "cannot be changed" in violation.message


def test_an_update_is_checked_by_the_ordinary_rules_too(manifest):
    assert violations(manifest("spec.model.uri", "models:/a/1"), manifest()) != []
