"""Each rule refuses what it is about with its own sentence, and nothing else."""

import pytest

from headgate_operator.api.rules import RULES, violations
from tests.manifests import FROM_REGISTRY, HOOK, PIPELINE, REFUSED, REGISTRY, own


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


def test_a_manifest_with_everything_in_it_breaks_no_rule(manifest):
    obj = manifest("spec.model", FROM_REGISTRY | {"registry": REGISTRY | {"promotedAlias": "champion"}})
    obj["spec"] |= {
        "owner": {"team": "ops-analytics", "contact": "oncall@example.com", "runbook": "https://example.com/runbook"},
        "predictor": {
            "replicas": {"min": 2, "max": 6, "metric": "cpu", "target": 70},
            "nodeSelector": {"pool": "gpu"},
            "tolerations": [{"key": "gpu"}],
            "labels": {"team": "ops"},
            "annotations": {"example.com/scrape": "true"},
        },
        "analysis": own(),
        "drift": {"onInputDrift": "Retrain", "features": {"exclude": ["temp"]}},
        "groundTruth": {"metric": "brier", "margin": 0.02},
        "retraining": {"pipeline": PIPELINE | {"parameters": {"months": "1-6"}}, "on": {"skillDrop": "50%"}},
    }
    obj["spec"]["rollout"] |= {"strategy": "BlueGreen", "shadowPercent": 50, "hooks": [HOOK]}
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
