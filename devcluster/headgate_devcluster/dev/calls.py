"""Asking a running cluster something over its control endpoint."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from headgate_devcluster.errors import ClusterError
from headgate_devcluster.lock import read_facts, supervisor

_TIMEOUT_SECONDS: Final = 10.0
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def not_running(folder: Path) -> ClusterError:
    """The error for a folder without a cluster that is up."""
    pid = supervisor(folder)
    state = f"is starting or stopping (process {pid})" if pid else f"is not running; start it with `headgate dev up --folder {folder}`"
    return ClusterError(f"the cluster in {folder} {state}")


def ask(folder: Path, method: str, path: str, body: Any = None) -> Any:
    """Return the JSON answer of a folder's cluster.

    Raises:
        ClusterError: no cluster runs there, it does not answer, or it refuses.
    """
    facts = read_facts(folder)
    if facts is None:
        raise not_running(folder)
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the URL is the cluster's own
        facts.control_url + path, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with _DIRECT.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ClusterError(_sentence(error)) from error
    except OSError as error:
        raise ClusterError(f"the cluster in {folder} does not answer at {facts.control_url}: {error}") from error


def _sentence(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the cluster answered {error.code}: {text}"
