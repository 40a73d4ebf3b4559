"""The manifest of a deployed version: made, or changed where a person wrote it."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from headgate_components.deployment.deploy_model import logic
from headgate_components.deployment.deploy_model.manifest import Target, documents, render
from headgate_components.step import StepError
from headgate_operator.cli.main import main
from tests.deployments import GOLDEN, TARGET, only, version

BY_HAND = """\
# Ours; ask the platform team before you change the steps.
apiVersion: headgate.dev/v1alpha1
kind: ModelDeployment
metadata: {name: flight-delay, namespace: ml}
spec:
  model:
    uri: file:///models/flight-delay/1-old  # written by the pipeline
    format: {name: xgboost, version: "3"}
    runtime: headgate-xgboost
  rollout:
    steps: [{weight: 5}, {weight: 50, pause: true}]
  analysis: {metrics: [{name: errors, preset: gateway-errors, maximum: "1%"}]}
  parity:
    golden: {configMap: flight-delay-1-golden}
"""


def test_the_default_manifest_is_one_the_operator_takes(tmp_path: Path) -> None:
    text = render(version(), TARGET)
    (tmp_path / "manifest.yaml").write_text(text)
    found = CliRunner().invoke(main, ["lint", str(tmp_path / "manifest.yaml")])
    assert found.exit_code == 0, found.output
    golden = only(text, "ConfigMap")
    assert golden["data"]["golden.json"] == GOLDEN
    assert only(text, "ModelDeployment")["spec"]["parity"]["golden"] == {"configMap": golden["metadata"]["name"]}


def test_an_existing_manifest_keeps_everything_but_the_version(tmp_path: Path) -> None:
    text = render(version(), TARGET, BY_HAND)
    assert text.startswith(
        BY_HAND.replace("1-old", "7-abc")
        .replace("file:///models/flight-delay/7-abc", json.dumps(version().uri), 1)
        .replace("flight-delay-1-golden", "flight-delay-7-golden")
    )
    again = render(version(8), TARGET, text)
    assert [document["metadata"]["name"] for document in documents(again)] == ["flight-delay-8-golden", "flight-delay"]
    assert render(version(8), TARGET, again) == again
    assert "# written by the pipeline" in again


def test_a_manifest_without_a_golden_set_gets_none() -> None:
    text = render(version(), TARGET, BY_HAND.partition("  parity:")[0])
    assert [document["kind"] for document in documents(text)] == ["ModelDeployment"]


@pytest.mark.parametrize(
    ("base", "says"),
    [
        (BY_HAND.replace("name: flight-delay,", "name: other,"), "one ModelDeployment named 'flight-delay'; it holds other"),
        ("a: [", "is not valid YAML"),
        (BY_HAND.replace("    uri:", "    urn:"), "has no spec.model.uri"),
        (BY_HAND + "---\n" + BY_HAND, "it holds flight-delay, flight-delay"),
    ],
)
def test_a_manifest_that_cannot_be_started_from_is_refused(base: str, says: str) -> None:
    with pytest.raises(StepError, match=says):
        render(version(), TARGET, base)


@pytest.mark.parametrize("name", ["Flight_Delay", "-x", "", "a" * 41])
def test_a_name_that_kubernetes_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="lower-case letters, digits and hyphens"):
        Target(name, "ml")


def test_a_file_is_written_and_then_only_its_version_changes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "flight-delay.yaml"
    logic.write_file(version(1), TARGET, file=str(path), base="")
    path.write_text(path.read_text().replace("250ms", "100ms"))
    logic.write_file(version(2), TARGET, file=str(path), base="")
    deployment = only(path.read_text(), "ModelDeployment")
    assert deployment["spec"]["analysis"]["metrics"][1]["slowerThan"] == "100ms"
    assert deployment["spec"]["model"]["uri"] == version(2).uri
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_the_yaml_is_readable() -> None:
    assert "golden.json: |-" in render(version(), TARGET)
    assert list(yaml.safe_load_all(render(version(), TARGET)))
