"""Which cluster, which namespace, which ModelDeployment: the part that the commands about live objects share."""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headgate_operator.api.names import API_VERSION, COMMAND_ANNOTATION, GROUP, KIND, PLURAL, VERSION
from headgate_operator.api.spec import Owner
from headgate_operator.api.spec.rollout import DEFAULT_WEIGHTS
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.kube.kubeconfig import KubeconfigError, read_kubeconfig
from headgate_operator.kube.protocol import ApiError, KubeApi, Object, Resource, UnavailableError

MODEL_DEPLOYMENTS: Final = Resource(GROUP, VERSION, PLURAL, KIND)
CLI_FIELD_MANAGER: Final = "headgate-cli"
"""Owns the command annotation, so that the operator's own writes and the user's manifests never fight over it."""

_POD_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds who it is: then no kubeconfig is needed."""
_UNAUTHORIZED: Final = 401

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Target:
    """The cluster and namespace a command speaks to."""

    kubeconfig: Path | None
    context: str | None
    namespace: str


@dataclass(frozen=True)
class Deployment:
    """One ModelDeployment as it is now."""

    obj: Object
    status: ModelDeploymentStatus

    @classmethod
    def of(cls, obj: Object) -> "Deployment":
        """What the API server has."""
        return cls(obj, ModelDeploymentStatus.model_validate(obj.get("status") or {}))

    @property
    def name(self) -> str:
        """metadata.name."""
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """metadata.namespace."""
        return str(self.obj["metadata"]["namespace"])

    @property
    def generation(self) -> int:
        """Counts changes of the spec."""
        return int(self.obj["metadata"].get("generation") or 0)

    @property
    def steps(self) -> int:
        """How many weights its canary has; pauses are not counted."""
        steps = self.obj["spec"].get("rollout", {}).get("steps") or [{"weight": weight} for weight in DEFAULT_WEIGHTS]
        return sum(step.get("weight") is not None for step in steps)

    @property
    def owner(self) -> Owner | None:
        """Whose model it is, as far as that can be read."""
        words = self.obj["spec"].get("owner")
        return Owner.model_construct(**words) if isinstance(words, dict) else None

    @property
    def command(self) -> str | None:
        """The command that waits to be carried out."""
        return (self.obj["metadata"].get("annotations") or {}).get(COMMAND_ANNOTATION)


def target_options(command: F) -> F:
    """Add --namespace, --kubeconfig and --context; the command gets a `target`."""
    return _with_target(command, _target)


def optional_target_options(command: F) -> F:
    """The same for a command that has something to say without a cluster, too: its `target` may be the Failure that there is none."""

    def target_or_failure(*given: Any) -> Target | Failure:
        try:
            return _target(*given)
        except Failure as failure:
            return failure

    return _with_target(command, target_or_failure)


def _with_target(command: F, find: Callable[[str | None, Path | None, str | None], Target | Failure]) -> F:
    @click.option("-n", "--namespace", help="Namespace (default: that of the kubeconfig's context, else default).")
    @click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file (default: $KUBECONFIG, else ~/.kube/config).")
    @click.option("--context", help="Context of the kubeconfig (default: its current one).")
    @functools.wraps(command)
    def with_target(*args: Any, namespace: str | None, kubeconfig: Path | None, context: str | None, **options: Any) -> Any:
        return command(*args, target=find(namespace, kubeconfig, context), **options)

    return with_target  # type: ignore[return-value]


def _target(namespace: str | None, kubeconfig: Path | None, context: str | None) -> Target:
    path = _kubeconfig(kubeconfig)
    if path is None:
        return Target(None, context, namespace or _pod_namespace())
    try:
        found = read_kubeconfig(path, context)
    except KubeconfigError as error:
        raise Failure(str(error), Exit.USAGE) from error
    return Target(path, context, namespace or found.namespace)


def run(target: Target, action: Callable[[KubeApi], Awaitable[T]]) -> T:
    """Connect, act, disconnect; API errors become one sentence."""

    async def connected() -> T:
        from headgate_operator.kube.connect import connect  # here, because the kubernetes client takes most of a second to import

        api = await connect(kubeconfig=target.kubeconfig, context=target.context)
        try:
            return await action(api)
        finally:
            await api.close()

    try:
        return asyncio.run(connected())
    except ApiError as error:
        raise _failure(error, target) from error


async def read(api: KubeApi, target: Target, name: str) -> Deployment:
    """Return one ModelDeployment; Failure if there is none of that name."""
    obj = await api.get(MODEL_DEPLOYMENTS, target.namespace, name)
    if obj is None:
        others = sorted(item["metadata"]["name"] for item in await api.list(MODEL_DEPLOYMENTS, target.namespace))
        known = f"there are: {', '.join(others[:10])}" if others else "there is none at all; is -n/--namespace right?"
        raise Failure(f"no ModelDeployment '{name}' in namespace {target.namespace}; {known}")
    return Deployment.of(obj)


async def read_all(api: KubeApi, target: Target) -> list[Deployment]:
    """Return every ModelDeployment of the namespace."""
    return [Deployment.of(obj) for obj in await api.list(MODEL_DEPLOYMENTS, target.namespace)]


async def command(api: KubeApi, deployment: Deployment, text: str) -> None:
    """Write the command annotation onto exactly this object."""
    metadata = {
        "name": deployment.name,
        "namespace": deployment.namespace,
        "uid": deployment.obj["metadata"]["uid"],  # only ever updates: a deleted object is not created anew
        "annotations": {COMMAND_ANNOTATION: text},
    }
    await api.apply(MODEL_DEPLOYMENTS, {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}, field_manager=CLI_FIELD_MANAGER)


def _kubeconfig(given: Path | None) -> Path | None:
    """Return the file that says where the cluster is; None for the account of the pod that we run in."""
    if given is None and "KUBECONFIG" not in os.environ and _POD_ACCOUNT.is_dir():
        return None
    if given is not None:
        return given
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    return next((path for path in named if path.exists()), named[0])  # as kubectl, which passes over those that are not there


def _pod_namespace() -> str:
    try:
        return (_POD_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        return "default"


def _failure(error: ApiError, target: Target) -> Failure:
    """Say what to do where that is not the command's business: the server is away, or does not know us."""
    where = f"the kubeconfig {target.kubeconfig}" if target.kubeconfig is not None else "this pod"
    if isinstance(error, UnavailableError) and not error.status:
        return Failure(f"{error}; is the cluster of {where} running, and is it the right one (--kubeconfig, --context)?")
    if error.status == _UNAUTHORIZED:
        return Failure(f"{error}: the API server does not accept the credentials of {where}, which may have expired; log in again")
    return Failure(str(error))
