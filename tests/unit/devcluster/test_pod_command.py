"""From a Pod to the process that stands for its container."""

import sys
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.kserve.command import CannotRunError, command

IMAGE = "ghcr.io/headgate/headgate-serving:0.1.0"


def pod(uri: str, *, image: str = IMAGE, **container: Any) -> dict[str, Any]:
    args = ["--model_name=m", "--model_dir=/mnt/models", "--http_port=8080", "--model_name=flight-delay"]
    main = {"name": "kserve-container", "image": image, "args": args, "env": [{"name": "LEVEL", "value": "debug"}]} | container
    return {"spec": {"containers": [main], "initContainers": [{"name": "storage-initializer", "args": [uri, "/mnt/models"]}]}}


def test_the_serving_image_becomes_our_server_on_loopback_with_the_export_as_its_model(tmp_path: Path) -> None:
    argv = command(pod(tmp_path.as_uri())).listening_on(4711)
    assert argv[:3] == (sys.executable, "-m", "headgate_serving")
    assert argv[3:] == (
        "--model_name=m",
        f"--model_dir={tmp_path}",
        "--http_port=8080",
        "--model_name=flight-delay",
        "--http_port=4711",
        "--host=127.0.0.1",
    )


def test_a_model_folder_with_a_space_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "my models"
    folder.mkdir()
    assert f"--model_dir={folder}" in command(pod(folder.as_uri())).argv


def test_the_environment_is_the_containers_over_ours_without_proxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    env = command(pod(tmp_path.as_uri())).env
    assert (env["LEVEL"], env["OMP_NUM_THREADS"], "PATH" in env, "HTTP_PROXY" in env) == ("debug", "1", True, False)


def test_the_containers_own_readiness_path_is_probed(tmp_path: Path) -> None:
    assert command(pod(tmp_path.as_uri())).ready_path == "/v2/health/ready"
    assert command(pod(tmp_path.as_uri(), readinessProbe={"httpGet": {"path": "/ready", "port": 8080}})).ready_path == "/ready"


@pytest.mark.parametrize("image", ["headgate-serving", "localhost:5000/headgate-serving:dev", IMAGE])
def test_the_serving_image_is_known_from_any_registry(image: str, tmp_path: Path) -> None:
    assert command(pod(tmp_path.as_uri(), image=image)).argv


@pytest.mark.parametrize("image", ["", "kserve/xgbserver:v0.15", "not-headgate-serving:1", "headgate-serving-extra:1"])
def test_any_other_image_cannot_be_pulled(image: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRunError) as refused:
        command(pod(tmp_path.as_uri(), image=image))
    assert refused.value.reason == "ImagePullBackOff"


@pytest.mark.parametrize("uri", ["s3://bucket/model", "models:/flight-delay/1", "file:///does/not/exist", "file://elsewhere/model"])
def test_a_model_that_is_no_folder_here_fails_in_the_initializer(uri: str) -> None:
    with pytest.raises(CannotRunError) as refused:
        command(pod(uri))
    assert refused.value.reason == "Init:CrashLoopBackOff"


def test_a_command_of_its_own_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError) as refused:
        command(pod(tmp_path.as_uri(), command=["/nope"]))
    assert refused.value.reason == "RunContainerError"
