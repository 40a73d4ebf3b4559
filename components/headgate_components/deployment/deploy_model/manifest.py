"""The ModelDeployment of a registered version, and the golden set that it names: two YAML documents in one file.

An existing manifest stays a person's: only the scalars that name the version are replaced where they stand, so comments, order and all
that was tuned by hand survive.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headgate_components.files import read_object
from headgate_components.step import StepError

API_VERSION = "headgate.dev/v1alpha1"
KIND = "ModelDeployment"
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 40

_DEFAULT = """\
# Written by the training pipeline, which from now on changes only model.uri and the golden set.
apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  namespace: {namespace}
spec:
  model:
    uri: {uri}
    format: {{name: xgboost, version: "3"}}
    runtime: headgate-xgboost
    protocol: v2
  analysis:
    metrics:
      - {{name: errors, preset: gateway-errors, maximum: "2%"}}
      - {{name: latency, preset: gateway-latency, slowerThan: 250ms, maximum: "5%"}}
  parity:
    mode: Required
    golden:
      configMap: {golden}
"""


@dataclass(frozen=True)
class Version:
    """A registered version, as its deployment needs to know it."""

    model_name: str
    version: str
    uri: str
    golden: str
    """The golden set as JSON text."""

    @classmethod
    def read(cls, registration: Path, golden: Path) -> "Version":
        """What `register_model` and `make_golden` wrote.

        Raises:
            StepError: it is something else.
        """
        said = read_object(registration, "registration")
        read_object(golden, "golden set")
        try:
            return cls(str(said["modelName"]), str(said["version"]), str(said["exportUri"]), golden.read_text(encoding="utf-8"))
        except KeyError as error:
            raise StepError(f"the registration lacks {error}; use the one that register_model writes") from error


@dataclass(frozen=True)
class Target:
    """Which ModelDeployment."""

    name: str
    namespace: str

    def __post_init__(self) -> None:
        for what, value in (("name", self.name), ("namespace", self.namespace)):
            if len(value) > _LONGEST_NAME or _DNS_LABEL.fullmatch(value) is None:
                raise StepError(
                    f"'{value}' is no {what} for a {KIND}: allowed are up to {_LONGEST_NAME} lower-case letters, digits and hyphens"
                )


def render(version: Version, target: Target, base: str = "") -> str:
    """The manifest of this version: the default one, or `base` with this version in it.

    Args:
        version: what to deploy.
        target: the object's name and namespace; a base must have this name.
        base: an earlier manifest as YAML text. It must have `model.uri`. It gets a golden set only if it names one.

    Raises:
        StepError: the base cannot be used.
    """
    golden_name = f"{target.name}-{version.version}-golden"
    if not base.strip():
        text = _DEFAULT.format(
            api_version=API_VERSION,
            kind=KIND,
            name=target.name,
            namespace=target.namespace,
            uri=json.dumps(version.uri),
            golden=golden_name,
        )
        return text + _golden_document(golden_name, target.namespace, version.golden)
    deployment = _deployment(base, target)
    uri = _scalar(deployment, "spec", "model", "uri")
    if uri is None:
        raise StepError(
            f"the manifest of '{target.name}' has no spec.model.uri to write the version to; one that follows a registry needs no deploying"
        )
    named = _scalar(deployment, "spec", "parity", "golden", "configMap")
    if named is None:
        return _replace(base, [(uri, json.dumps(version.uri))])
    namespace = _scalar(deployment, "metadata", "namespace")
    without = _without_golden(_replace(base, [(uri, json.dumps(version.uri)), (named, golden_name)]), named.value)
    return without + _golden_document(golden_name, namespace.value if namespace else target.namespace, version.golden)


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a manifest, the golden set before the deployment that names it."""
    found = [document for document in yaml.safe_load_all(text) if document]
    return sorted(found, key=lambda document: document.get("kind") == KIND)


def _deployment(text: str, target: Target) -> yaml.MappingNode:
    try:
        nodes = list(yaml.compose_all(text, yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise StepError(f"the manifest to start from is not valid YAML: {' '.join(str(error).split())}") from error
    found = [node for node in nodes if isinstance(node, yaml.MappingNode) and _value(node, "kind") == KIND]
    named = [node for node in found if _value(node, "metadata", "name") == target.name]
    if len(named) != 1:
        names = ", ".join(str(_value(node, "metadata", "name")) for node in found) or "none"
        raise StepError(f"the manifest to start from must hold one {KIND} named '{target.name}'; it holds {names}")
    return named[0]


def _value(node: yaml.Node, *path: str) -> str | None:
    found = _scalar(node, *path)
    return found.value if found else None


def _scalar(node: yaml.Node | None, *path: str) -> yaml.ScalarNode | None:
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node if isinstance(node, yaml.ScalarNode) else None


def _replace(text: str, changes: list[tuple[yaml.ScalarNode, str]]) -> str:
    """From the last to the first, so that earlier positions stay right."""
    for node, value in sorted(changes, key=lambda change: -change[0].start_mark.index):
        text = text[: node.start_mark.index] + value + text[node.end_mark.index :]
    return text


def _without_golden(text: str, name: str) -> str:
    """Without the document of an earlier golden set: it is ours, whole."""
    parts = re.split(r"(?m)^---[ \t]*\n", text)
    kept = [part for part in parts if not _is_golden(part, name)]
    without = "---\n".join(kept)
    return without if without.endswith("\n") else without + "\n"


def _is_golden(document: str, name: str) -> bool:
    content = yaml.safe_load(document)
    return isinstance(content, dict) and content.get("kind") == "ConfigMap" and content.get("metadata", {}).get("name") == name


def _golden_document(name: str, namespace: str, golden: str) -> str:
    content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": {"golden.json": golden}}
    return "---\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a change of the golden set can be read in a diff."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
