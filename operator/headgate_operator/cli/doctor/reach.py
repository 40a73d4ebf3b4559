"""What it means that a server cannot be asked: from a laptop, little; from inside the cluster, that it is away."""

import os
from typing import Final

from headgate_operator.cli.doctor.case import UnheardError
from headgate_operator.cli.doctor.findings import Finding, failed, unknown

_INSIDE: Final = "KUBERNETES_SERVICE_HOST"
_FROM_INSIDE: Final = "kubectl exec -n headgate-system deploy/headgate-operator -- headgate doctor"


def not_heard(what: str, error: UnheardError) -> Finding:
    """Say that a server did not answer. A name that only the cluster knows says nothing about the server behind it."""
    if error.resolved or _INSIDE in os.environ:
        return failed(f"{what} cannot be reached: {error}", "is it running, and does a NetworkPolicy let the operator ask it?")
    return unknown(f"{what} cannot be asked from here: {error}", f"ask from inside the cluster: {_FROM_INSIDE}")
