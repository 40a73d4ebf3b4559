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


def test_it_is_never_chosen_for_other_peoples_models(spec: dict[str, Any]) -> None:
    assert spec["supportedModelFormats"] == [{"name": "xgboost", "version": "3", "autoSelect": False}]
    assert spec["protocolVersions"] == ["v1", "v2"]
