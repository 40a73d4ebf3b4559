"""How traffic reaches the model."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration
from headgate_operator.api.spec.common import Hostname, Name


class ServingMode(StrEnum):
    """KServe's deployment mode."""

    STANDARD = "Standard"
    KNATIVE = "Knative"


class Gateway(ApiModel):
    """The Gateway that carries the traffic."""

    name: Name = Field(description="Name of the Gateway.")
    namespace: Name = Field(description="Namespace of the Gateway.")


class Serving(ApiModel):
    """How traffic reaches the model."""

    mode: ServingMode = Field(
        ServingMode.STANDARD,
        description="Standard: Deployments behind an HTTPRoute of the Gateway API. Knative: one InferenceService whose revisions Knative "
        "splits the traffic between. Immutable.",
    )
    gateway: Gateway | None = Field(None, description="Gateway of the HTTPRoute (default: operator setting).")
    hostnames: list[Hostname] | None = Field(
        None, min_length=1, max_length=8, description="Hostnames of the HTTPRoute (default: <name>.<namespace>.<operator's domain>)."
    )
    request_timeout: Duration = Field(
        timedelta(seconds=60), description="Longest time one request may take; also how long a version drains."
    )
