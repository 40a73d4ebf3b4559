"""When a new model is trained without anybody asking, and by which pipeline."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration, Share
from headgate_operator.api.spec.common import Url


class Pipeline(ApiModel):
    """A pipeline of Kubeflow Pipelines."""

    endpoint: Url = Field(description="Address of the Kubeflow Pipelines API, such as http://ml-pipeline.kubeflow:8888.")
    name: str = Field(min_length=1, max_length=128, description="Name of the pipeline; its newest version runs.")
    parameters: dict[str, Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict, max_length=64, description="Parameters of the run. No secrets: manifests are read by many."
    )


class RetrainingTriggers(ApiModel):
    """What starts a run. Schedules are recurring runs of Kubeflow Pipelines."""

    input_drift: bool = Field(True, description="Severe input drift that lasts.")
    skill_drop: Share | None = Field(
        None, description="The stable version's skill against labels fell by this share of what it was at promotion."
    )
    accuracy_drop: Share | None = Field(None, description="The stable version's accuracy fell by this much since promotion.")


class Retraining(ApiModel):
    """When a new model is trained without anybody asking."""

    pipeline: Pipeline = Field(description="The pipeline that trains, and ends by offering a new version.")
    on: RetrainingTriggers = Field(
        default_factory=RetrainingTriggers, description='What starts a run. In YAML the key is "on", with its quotes.'
    )
    cooldown: Duration = Field(timedelta(days=1), description="Shortest time between two runs.")
    max_per_week: int = Field(2, ge=1, le=50, description="Most runs within any seven days.")
