"""Settings of a version's pods, handed to KServe after validation. Like the model they make up the revision id; replica bounds do not."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.spec.common import Name

MetadataValue = Annotated[str, Field(max_length=4096)]


class ScaleMetric(StrEnum):
    """What an autoscaler looks at."""

    CPU = "cpu"
    MEMORY = "memory"
    CONCURRENCY = "concurrency"
    RPS = "rps"


class Replicas(ApiModel):
    """Bounds of a version's replica count. Changing them starts no new revision."""

    min: int | None = Field(None, ge=1, le=1000, description="Fewest replicas of the stable version (default 1).")
    max: int | None = Field(None, ge=1, le=1000, description="Most replicas of a version (default: min, no autoscaling).")
    metric: ScaleMetric | None = Field(
        None, description="What the autoscaler looks at: cpu or memory, with Knative also concurrency or rps (default: KServe's)."
    )
    target: int | None = Field(
        None, ge=1, le=1_000_000, description="Value of the metric that it aims at; of cpu and memory a percentage (default: KServe's)."
    )


class Predictor(ApiModel):
    """Settings handed to KServe after validation. All optional."""

    replicas: Replicas = Field(default_factory=Replicas, description="Replica bounds and what the autoscaler aims at.")
    resources: dict[str, Any] | None = Field(None, description="Container resources, as in a Pod.")
    env: list[dict[str, Any]] | None = Field(None, max_length=100, description="Container environment, as in a Pod.")
    args: list[str] | None = Field(None, max_length=100, description="Arguments added to those of the runtime.")
    service_account_name: Name | None = Field(None, description="Service account of the predictor's pods.")
    node_selector: dict[str, MetadataValue] | None = Field(None, max_length=32, description="Node labels that the pods need, as in a Pod.")
    tolerations: list[dict[str, Any]] | None = Field(None, max_length=32, description="Taints that the pods tolerate, as in a Pod.")
    affinity: dict[str, Any] | None = Field(None, description="Scheduling preferences, as in a Pod.")
    container_concurrency: int | None = Field(
        None, ge=0, le=1000, description="Requests that a pod takes at the same time (Knative only; 0: any number)."
    )
    labels: dict[str, MetadataValue] | None = Field(None, max_length=32, description="Labels of the InferenceService and its pods.")
    annotations: dict[str, MetadataValue] | None = Field(
        None, max_length=32, description="Annotations of the InferenceService and its pods."
    )
