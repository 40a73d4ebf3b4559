"""The CustomResourceDefinition, generated from the models and the rules. `manifests/crd/` holds it as YAML; a test compares."""

from typing import Any

import yaml

from headgate_operator.api.names import API_VERSION, CATEGORY, GROUP, KIND, PLURAL, SHORT_NAME, SINGULAR, VERSION
from headgate_operator.api.rules import RULES, Rule
from headgate_operator.api.schema import JsonSchema, structural_schema
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ModelDeploymentStatus

DEFAULTED = frozenset({"serving", "rollout", "analysis", "parity", "drift", "groundTruth", "retraining"})
"""Fields of the spec whose defaults the API server fills in. Not `model` and `predictor`: they make up revision ids."""

UNSEEN = {"observedGeneration": -1}
"""The status of an object that no operator has looked at. Without one, kstatus (so Flux) takes it for done."""

_HEADER = "# Generated from headgate_operator.api by `headgate crd`; edit the models, not this file.\n"

_COLUMNS = (
    ("Phase", "string", ".status.phase"),
    ("Stable", "string", ".status.stable.version"),
    ("Candidate", "string", ".status.candidate.version"),
    ("Weight", "integer", ".status.candidate.weight"),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason'),
    ("Age", "date", ".metadata.creationTimestamp"),
)


def crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition of ModelDeployment as plain JSON."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in _COLUMNS],
                    "schema": {"openAPIV3Schema": root_schema()},
                }
            ],
        },
    }


def crd_yaml() -> str:
    """Return the CustomResourceDefinition as the YAML that is committed."""
    return _HEADER + yaml.safe_dump(crd(), sort_keys=False, width=140, allow_unicode=True)


def root_schema() -> JsonSchema:
    """Return the structural schema of a whole ModelDeployment, rules included."""
    root: JsonSchema = {
        "type": "object",
        "description": "A model, and how each new version of it takes over live traffic.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {KIND}."},
            # Only its name may be described here, and must be, for a rule to point at it.
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 253}}},
            "spec": structural_schema(ModelDeploymentSpec, mode="serialization", defaults=DEFAULTED),
            "status": structural_schema(ModelDeploymentStatus, mode="validation", defaults=frozenset()),
        },
    }
    root["properties"]["status"]["default"] = UNSEEN
    for rule in RULES:
        schema_at(root, rule.at).setdefault("x-kubernetes-validations", []).append(_validation(rule))
    return root


def schema_at(root: JsonSchema, at: str) -> JsonSchema:
    """Return the node at a path such as `spec.analysis.metrics[].name`; KeyError if there is none."""
    node = root
    for part in filter(None, at.split(".")):
        node = node["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            node = node["items"]
    return node


def _validation(rule: Rule) -> JsonSchema:
    validation = {"rule": rule.cel, "message": rule.sentence}
    return validation | {"fieldPath": f".{rule.shown_at}"} if rule.shown_at else validation
