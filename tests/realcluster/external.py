"""A cluster for tests that somebody else runs, named by its kubeconfig."""

import base64
from pathlib import Path
from typing import Any

import yaml

from headgate_devcluster.access import Access
from tests.realcluster.controlplane import ControlPlane
from tests.realcluster.definitions import install_definitions
from tests.realcluster.programs import KUBECONFIG, NoRealApiError


def external(kubeconfig: Path) -> ControlPlane:
    """The cluster of a kubeconfig's current context, with the definitions that Headgate needs.

    Raises:
        NoRealApiError: the file cannot be used.
    """
    try:
        access = access_of(yaml.safe_load(kubeconfig.read_text()))
    except (OSError, KeyError, StopIteration, TypeError, ValueError, yaml.YAMLError) as error:
        msg = f"{KUBECONFIG}: {kubeconfig} is not a kubeconfig whose user has a token and whose cluster has certificate-authority-data"
        raise NoRealApiError(msg) from error
    install_definitions(access)
    return ControlPlane(access, collects_garbage=True)


def access_of(config: dict[str, Any]) -> Access:
    """Who a kubeconfig's current context is, and where; KeyError or StopIteration if it does not say so by a token."""
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    token = _named(config["users"], context["user"])["user"]["token"]
    return Access(cluster["server"], token, base64.b64decode(cluster["certificate-authority-data"]).decode())


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)
