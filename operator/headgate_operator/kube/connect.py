"""Where the API server is and who we are there: a kubeconfig file, or the service account of our pod."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.kubeconfig import read_kubeconfig
from headgate_operator.kube.protocol import ApiError
from headgate_operator.kube.transport import Heard, Transport, unheard


async def connect(
    kubeconfig: Path | None, *, context: str | None = None, request_timeout: float = 30.0, heard: Heard = unheard
) -> KubeClient:
    """Return a client; ApiError with one sentence if there is no usable configuration. Nothing is sent yet.

    Args:
        kubeconfig: The kubeconfig file; None for the service account of the pod we run in.
        context: The context in it; None for its current one.
        request_timeout: Longest time one request may take, in seconds.
        heard: Is told of every request.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = 0  # no limit: a watch holds one for ever, and workers bound the others
    configuration.retries = None  # ours are bounded and know what may be repeated; False or 0 would mean to try for ever
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            read_kubeconfig(kubeconfig, context)
            await config.load_kube_config(str(kubeconfig), context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        _know_the_proxy(configuration)
        return KubeClient(Transport(ApiClient(configuration), request_timeout=request_timeout, heard=heard))
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        source = "the service account of this pod" if kubeconfig is None else str(kubeconfig)
        raise ApiError(f"{source} cannot be used to reach an API server: {_one_line(error)}") from error


def _know_the_proxy(configuration: Configuration) -> None:
    """Ask the environment for a proxy once. aiohttp would ask before every request, in two threads: a millisecond each."""
    server = urlsplit(configuration.host)
    if configuration.proxy is None and not proxy_bypass(server.netloc):
        configuration.proxy = getproxies().get(server.scheme)
    configuration.client_session_kwargs = {"trust_env": False}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
