"""The same answers as where the model was trained, before any traffic."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.spec.common import ConfigMapName


class ParityMode(StrEnum):
    """What happens without a golden set."""

    IF_PRESENT = "IfPresent"
    REQUIRED = "Required"
    OFF = "Off"


class Golden(ApiModel):
    """Where the golden inputs and outputs are."""

    config_map: ConfigMapName = Field(description="ConfigMap in this namespace with the key golden.json.")


class Tolerance(ApiModel):
    """How far an answer may be from the golden one: |a - g| <= absolute + relative * |g|."""

    absolute: float = Field(1e-5, ge=0, le=1e6, description="Largest difference in any case.")
    relative: float = Field(1e-4, ge=0, le=1, description="Largest difference as a part of the golden answer.")


class Parity(ApiModel):
    """The same answers as where the model was trained, before any traffic."""

    mode: ParityMode = Field(ParityMode.IF_PRESENT, description="What happens without a golden set: IfPresent, Required or Off.")
    golden: Golden | None = Field(
        None, description="Where the golden inputs and outputs are (default with a registry: the version's tag headgate.golden)."
    )
    tolerance: Tolerance = Field(default_factory=Tolerance, description="How far an answer may be from the golden one.")
