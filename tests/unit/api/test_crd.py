"""The generated CRD is what is committed, and what a real API server accepts: structural, bounded, described."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headgate_operator.api.crd import crd, crd_yaml, root_schema, schema_at
from headgate_operator.api.quantities import format_duration, parse_duration
from headgate_operator.api.rules import RULES
from headgate_operator.api.spec import Analysis, Rollout

COMMITTED = Path(__file__).parents[3] / "manifests/crd/modeldeployments.yaml"


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}".lstrip("."))
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


def test_the_committed_crd_is_the_generated_one():
    assert COMMITTED.read_text() == crd_yaml(), "run: headgate crd > manifests/crd/modeldeployments.yaml"


def test_every_node_is_typed_and_uses_only_structural_keywords():
    allowed = {
        "type", "description", "properties", "required", "items", "additionalProperties", "enum", "format", "pattern", "default",
        "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
    }  # fmt: skip
    for path, node in nodes(root_schema()):
        assert node["type"] in {"object", "array", "string", "integer", "number", "boolean"}, path
        assert set(node) <= allowed, path


def test_every_field_has_a_description():
    bare = [
        path
        for path, node in nodes(root_schema())
        if path.partition(".")[0] in {"spec", "status"} and not path.endswith("[]") and not node.get("description")
    ]
    assert bare == []


def test_nothing_that_makes_up_a_revision_id_has_a_default():
    spec = root_schema()["properties"]["spec"]["properties"]
    assert not [path for part in ("model", "predictor") for path, node in nodes(spec[part]) if "default" in node]


OPTIONAL = r".*\[\].*|.*\.provider(\..*)?|drift|groundTruth|retraining"
"""Parts that are there or not: their defaults fire when they are."""


def test_a_nested_default_has_a_default_on_every_parent_so_that_it_fires():
    spec = root_schema()["properties"]["spec"]
    defaults = {path for path, node in nodes(spec) if "default" in node}
    assert {"rollout.watch.holdback", "parity.tolerance.absolute", "serving.mode"} <= defaults
    for path in defaults:
        parents = [path[: match.start()] for match in re.finditer(r"\.", path)]
        assert {parent for parent in parents if not re.fullmatch(OPTIONAL, parent)} <= defaults, path


def test_defaults_stand_in_the_schema_as_in_a_manifest():
    root = root_schema()
    assert parse_duration(schema_at(root, "spec.rollout.progressDeadline")["default"]) == Rollout().progress_deadline
    assert schema_at(root, "spec.rollout.progressDeadline")["default"] == format_duration(Rollout().progress_deadline)
    assert schema_at(root, "spec.analysis.falseRollbackRate")["default"] == "1%"
    assert Analysis().false_rollback_rate == 0.01


def test_every_rule_stands_once_on_its_node_with_its_sentence():
    root = root_schema()
    for rule in RULES:
        on_node = [v for v in schema_at(root, rule.at)["x-kubernetes-validations"] if v["message"] == rule.sentence]
        assert [validation["rule"] for validation in on_node] == [rule.cel]


def test_what_a_rule_walks_over_is_bounded_so_that_its_cost_is_too():
    for path, node in nodes(root_schema()):
        if "x-kubernetes-validations" not in node:
            continue
        assert node["type"] != "string" or "maxLength" in node or "enum" in node, path
        assert node["type"] != "array" or "maxItems" in node, path
        parents = [path[: match.start()] for match in re.finditer(r"\[\]", path)]
        assert all("maxItems" in schema_at(root_schema(), parent) for parent in parents), path


def test_sentences_are_short_enough_for_the_api_server():
    sentences = [v["message"] for _, node in nodes(root_schema()) for v in node.get("x-kubernetes-validations", [])]
    assert all(0 < len(sentence) <= 2048 and "\n" not in sentence for sentence in sentences)


def test_the_envelope_names_what_people_type():
    spec = crd()["spec"]
    assert spec["names"]["shortNames"] == ["mdep"]
    assert spec["names"]["categories"] == ["kserve"]
    (version,) = spec["versions"]
    assert version["subresources"] == {"status": {}}
    columns = [column["name"] for column in version["additionalPrinterColumns"]]
    assert columns == ["Phase", "Stable", "Candidate", "Weight", "Ready", "Reason", "Age"]
