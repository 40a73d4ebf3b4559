"""Which model is served. What is set here makes up the revision id, so nothing has a default that the API server would fill in."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration
from headgate_operator.api.spec.common import Name, Url

Alias = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]


class Protocol(StrEnum):
    """The inference protocol of a predictor."""

    V1 = "v1"
    V2 = "v2"


class ModelFormat(ApiModel):
    """The framework that wrote the model."""

    name: str = Field(min_length=1, max_length=63, description="Framework name as the serving runtime lists it, such as xgboost.")
    version: str | None = Field(None, max_length=32, description="Major version of the framework, as a string.")


class Registry(ApiModel):
    """An alias in an MLflow registry. It is resolved to a version and its storage URI, and that is what a revision is."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/:]+$", description="Name of the registered model.")
    alias: Alias = Field(description="Alias that is followed, such as candidate: the version it points to is rolled out.")
    promoted_alias: Alias | None = Field(
        None, description="Alias that is set on a version when it is promoted, such as champion (default: none is set)."
    )
    tracking_uri: Url = Field(alias="trackingURI", description="Address of the MLflow server.")
    poll_interval: Duration = Field(timedelta(minutes=1), description="How often the alias is looked up.")


class Model(ApiModel):
    """Which model is served, and by what."""

    uri: str | None = Field(
        None,
        min_length=1,
        max_length=1024,
        description="Immutable storage URI that KServe can read, such as s3://models/flight-delay/7. "
        "Not models:/ or mlflow-artifacts:, which KServe accepts and then fails to read.",
    )
    registry: Registry | None = Field(None, description="Instead of uri: an alias in an MLflow registry that is followed.")
    format: ModelFormat = Field(description="The framework that wrote the model.")
    runtime: Name = Field(
        description="Name of the ServingRuntime or ClusterServingRuntime. Always explicit: KServe's own choice changes with priorities."
    )
    protocol: Protocol | None = Field(None, description="Inference protocol: v1 or v2 (default v2).")
    model_name: Name | None = Field(
        None, description="Model name in the request path, the same for every version (default: the name of this object)."
    )
