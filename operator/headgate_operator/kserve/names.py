"""Names of what a revision runs as. KServe derives more names from them, and those have limits of their own."""

import hashlib
from typing import Final

_SUFFIX_DIGITS: Final = 8
_LABEL: Final = 63  # Kubernetes' limit for labels and host name parts


class NamespaceTooLongError(ValueError):
    """No child name fits into the namespace."""


def child_name(name: str, revision: str, namespace: str) -> str:
    """Return the name of a revision's InferenceService (and of its runtime copy): always the same for the same arguments.

    The suffix hashes name and revision, so two ModelDeployments with a long common beginning never collide.
    NamespaceTooLongError if there is no room for even one character of the name.
    """
    limit = longest_child_name(namespace)
    room = limit - _SUFFIX_DIGITS - 1
    if room < 1:
        raise NamespaceTooLongError(
            f"the namespace {namespace!r} has {len(namespace)} characters, which leaves no room for the names of versions: "
            f"at most {_LABEL - len('-predictor-') - _SUFFIX_DIGITS - 2} are possible"
        )
    suffix = hashlib.sha256(f"{name}/{revision}".encode()).hexdigest()[:_SUFFIX_DIGITS]
    return f"{name[:room].rstrip('-')}-{suffix}"


def longest_child_name(namespace: str) -> int:
    """Return how long an InferenceService's name may be in a namespace.

    KServe labels pods `isvc.<isvc>-predictor` and makes the host label `<isvc>-predictor-<namespace>`; both must stay within 63.
    """
    return min(_LABEL - len("isvc.-predictor"), _LABEL - len("-predictor-") - len(namespace))


def predictor_name(isvc: str) -> str:
    """Return the name KServe gives to the Deployment and the Service of an InferenceService."""
    return f"{isvc}-predictor"


def knative_name(name: str, namespace: str) -> str:
    """Return the name of the one InferenceService that a ModelDeployment has in Knative mode: its own, wherever that fits.

    Clients know it, for Knative's host names are made of it. NamespaceTooLongError as with `child_name`.
    """
    return name if len(name) <= longest_child_name(namespace) else child_name(name, "", namespace)


def latest_host(service: str, namespace: str) -> str:
    """Return the cluster-local host name of Knative's latest ready revision, whatever its traffic."""
    return f"latest-{predictor_host(service, namespace)}"


def predictor_host(isvc: str, namespace: str) -> str:
    """Return the cluster-local host name of a version."""
    return f"{predictor_name(isvc)}.{namespace}.svc.cluster.local"
