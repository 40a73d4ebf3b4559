"""Each rule refuses what it is about with its own sentence, and nothing else."""

import pytest

from headgate_operator.api.rules import RULES, violations
from tests.manifests import REFUSED


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
