"""Applies a manifest to a Kubernetes API server and waits for the operator's verdict on it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headgate_components.deployment.deploy_model.manifest import KIND, Target
from headgate_components.deployment.deploy_model.verdict import Verdict, standing, verdict
from headgate_components.polling import Clock, Standing, poll
from headgate_components.rest import NotFoundError, Server, ServerError, Token
from headgate_components.step import StepError

FIELD_MANAGER = "headgate-pipeline"
PAUSE_SECONDS = 2.0
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_APPLY = "application/apply-patch+yaml"
_PATHS = {
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps/",
    KIND: "/apis/headgate.dev/v1alpha1/namespaces/{namespace}/modeldeployments/",
}


def api_server(url: str = "", token_file: str = "", ca_file: str = "") -> Server:
    """The API server at an address; without one the cluster this runs in, as its ServiceAccount.

    Raises:
        StepError: no address was given, and this is no pod.
    """
    if url:
        return Server(url=url, token=Token(file=Path(token_file) if token_file else None), ca=Path(ca_file) if ca_file else None)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise StepError("there is no Kubernetes API server to apply to: this is not a pod; give its address and a token file")
    host = f"[{host}]" if ":" in host else host
    return Server(url=f"https://{host}:{port}", token=Token(file=SERVICE_ACCOUNT / "token"), ca=SERVICE_ACCOUNT / "ca.crt")


def apply(server: Server, objects: Sequence[dict[str, Any]], namespace: str) -> int:
    """Applies the objects in this order, server-side, and returns the deployment's generation.

    Nothing is taken over: a field that somebody else manages with another value is a conflict, told with the manager's name.

    Raises:
        ServerError: the API server refuses.
    """
    generation = 0
    for content in objects:
        path = _PATHS[content["kind"]].format(namespace=content["metadata"].get("namespace", namespace)) + content["metadata"]["name"]
        try:
            answer = server.patch(path, json.dumps(content).encode(), kind=_APPLY, query={"fieldManager": FIELD_MANAGER})
        except NotFoundError as error:
            raise StepError(
                f"{error}; is there a namespace '{namespace}', and is the CustomResourceDefinition of {KIND} installed?"
            ) from error
        if content["kind"] == KIND:
            generation = int(answer.get("metadata", {}).get("generation", 0))
    return generation


def wait(server: Server, target: Target, *, uri: str, generation: int, seconds: float, clock: Clock | None = None) -> Verdict:
    """Waits for the verdict; an API server that is away meanwhile is only a reason to ask again.

    Raises:
        StepError: there is none after that many seconds, or the object is gone.
    """
    where = f"{KIND} {target.namespace}/{target.name}"
    path = _PATHS[KIND].format(namespace=target.namespace) + target.name

    def ask() -> Verdict | Standing:
        found = server.get(path)
        return verdict(found, uri=uri, generation=generation) or Standing(standing(found))

    try:
        ended = poll(ask, seconds=seconds, pause=PAUSE_SECONDS, clock=clock)
    except ServerError as error:
        raise StepError(f"waiting for the verdict on {where} ended: {error}") from error
    if isinstance(ended, Standing):
        raise StepError(f"there is no verdict on {where} after {seconds:g} s ({ended.sentence}); the rollout goes on without this step")
    return ended
