import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_serving.arguments import argument_parser

MANIFEST = Path(__file__).parents[3] / "manifests/runtimes/headgate-xgboost.yaml"


@pytest.fixture
def spec() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    assert content["metadata"]["name"] == "headgate-xgboost"
    found: dict[str, Any] = content["spec"]
    return found


def test_the_container_arguments_are_those_the_server_takes_and_a_later_name_wins(spec: dict[str, Any]) -> None:
    (container,) = spec["containers"]
    arguments = [argument.replace("{{.Name}}", "flight-delay-1a2b3c4d") for argument in container["args"]]
    options = argument_parser().parse_args([*arguments, "--model_name=flight-delay"])
    assert (options.model_name, options.model_dir, options.http_port) == ("flight-delay", Path("/mnt/models"), 8080)
    assert container["name"] == "kserve-container"
    assert {"name": "OMP_NUM_THREADS", "value": "1"} in container["env"]


def test_it_runs_without_rights_and_says_when_it_is_ready_alive_and_leaving(spec: dict[str, Any]) -> None:
    (container,) = spec["containers"]
    security = container["securityContext"]
    assert (security["runAsNonRoot"], security["readOnlyRootFilesystem"], security["capabilities"]) == (True, True, {"drop": ["ALL"]})
    assert {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} == {"/v2/health/ready", "/v2/health/live"}
    assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert container["resources"].keys() == {"requests", "limits"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which renders kustomizations, is not installed")
def test_the_namespaced_runtime_is_the_same_but_for_its_kind() -> None:
    command = ["kubectl", "kustomize", str(MANIFEST.parents[1] / "runtimes-namespaced")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert yaml.safe_load(done.stdout) == {**yaml.safe_load(MANIFEST.read_text()), "kind": "ServingRuntime"}


def test_it_is_never_chosen_for_other_peoples_models(spec: dict[str, Any]) -> None:
    assert spec["supportedModelFormats"] == [{"name": "xgboost", "version": "3", "autoSelect": False}]
    assert spec["protocolVersions"] == ["v1", "v2"]
