"""From a Pod to the process that stands for its container."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from headgate_devcluster.kserve.logger import agent_arguments
from headgate_devcluster.kserve.names import CONTAINER, MODEL_FOLDER
from headgate_devcluster.objects import Object

_IMAGE = re.compile(r"(^|/)headgate-serving(:[\w][\w.-]*)?$")
_READY_PATH = "/v2/health/ready"
# Loopback servers never need a proxy; one set in the supervisor's environment must not reach them.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class CannotRunError(Exception):
    """The container can never start on this machine. `reason` is what the kubelet calls it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Command:
    """How to start the process, its port apart, and how to ask whether it is ready."""

    argv: tuple[str, ...]
    env: dict[str, str]
    ready_path: str
    agent: tuple[str, ...] | None = None
    """The agent's command, its ports apart; None if the pod has none."""

    def listening_on(self, port: int) -> tuple[str, ...]:
        """The whole command line; the last of several equal options counts."""
        return (*self.argv, f"--http_port={port}", "--host=127.0.0.1")

    def agent_on(self, port: int, server: int) -> tuple[str, ...]:
        """The agent's whole command line, between `port` and the server's."""
        return (*(self.agent or ()), f"--port={port}", f"--component-port={server}")


def command(pod: Object) -> Command:
    """The process for the pod's serving container.

    Raises:
        CannotRunError: the image is not the one this machine has, or the model is not a folder on it.
    """
    container = next((part for part in pod["spec"]["containers"] if part["name"] == CONTAINER), pod["spec"]["containers"][0])
    image = container.get("image", "")
    if not _IMAGE.search(image):
        raise CannotRunError("ImagePullBackOff", f'Back-off pulling image "{image}": the devcluster has only headgate-serving')
    if container.get("command"):
        raise CannotRunError("RunContainerError", f"the devcluster runs the image's own command only, not {container['command']}")
    models = str(_model_folder(pod))
    arguments = [part.replace(MODEL_FOLDER, models) for part in container.get("args", [])]
    probe = container.get("readinessProbe", {}).get("httpGet", {})
    told = agent_arguments(pod)
    agent = None if told is None else (sys.executable, "-m", "headgate_devcluster.kserve.agent", *told)
    return Command((sys.executable, "-m", "headgate_serving", *arguments), _environment(container), probe.get("path", _READY_PATH), agent)


def _model_folder(pod: Object) -> Path:
    initializer = next((part for part in pod["spec"].get("initContainers", []) if part["name"] == "storage-initializer"), None)
    if initializer is None:
        raise CannotRunError("CreateContainerError", "the pod has no model: only InferenceServices with a storageUri can serve here")
    uri = urlsplit(initializer["args"][0])
    folder = Path(unquote(uri.path))
    if uri.scheme != "file" or uri.netloc not in ("", "localhost"):
        raise CannotRunError(
            "Init:CrashLoopBackOff", f"{initializer['args'][0]} cannot be fetched: the devcluster serves file:// models only"
        )
    if not folder.is_dir():
        raise CannotRunError("Init:CrashLoopBackOff", f"the model folder {folder} does not exist")
    return folder


def _environment(container: Object) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key.lower() not in _PROXIES}
    own = {entry["name"]: str(entry["value"]) for entry in container.get("env", []) if "value" in entry}
    return inherited | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | own
