"""The drift monitor's client: one question about one ModelDeployment, one answer with the verdicts.

The question carries everything the monitor needs to know, so it keeps no configuration of its own, and one that was restarted is up to
date at once.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
from pydantic import Field, ValidationError

from headgate_operator.api.model import ApiModel
from headgate_operator.api.spec import Drift, GroundTruth, RetrainingTriggers
from headgate_operator.api.status import DriftedFeature, Signal
from headgate_operator.metrics.body import bounded_body
from headgate_operator.metrics.credentials import authorization

_TIMEOUT: Final = aiohttp.ClientTimeout(total=2, connect=1)
_LARGEST: Final = 1_000_000  # bytes


class Version(ApiModel):
    """A version whose requests the monitor collects."""

    id: str
    reference: str
    """Storage URI of its drift reference."""


class Question(ApiModel):
    """What is asked: these versions, compared in this way."""

    stable: Version
    trial: Version | None = None
    """What is compared with stable; None if nothing is on trial."""
    trial_weight: int = 0
    """Percent of the traffic; a window that saw two weights compares nothing."""
    drift: Drift | None = None
    ground_truth: GroundTruth | None = None
    error_rate: float = 0.01
    """How likely labels may convict a version that is worse by no more than the margin."""
    retraining: RetrainingTriggers | None = None
    """What makes the stable version stale; None if nothing follows from that."""


class Verdict(ApiModel):
    """What one comparison says."""

    signal: Signal = Signal.UNKNOWN
    message: str = Field("", max_length=4096)


class Answer(ApiModel):
    """What the monitor says about the question's versions."""

    format: Literal[1]
    window: int = Field(ge=0)
    reference: str = Field("", max_length=80)
    input: Verdict = Verdict()
    candidate_input: Verdict = Verdict()
    output: Verdict = Verdict()
    """Stable's predictions against those of its reference."""
    candidate_output: Verdict = Verdict()
    routing: Verdict = Verdict()
    prediction: Verdict = Verdict()
    quality: Verdict = Verdict()
    ground_truth: Verdict = Verdict()
    coverage: Verdict = Verdict()
    """Whether labels come alike for both versions."""
    skill: Verdict = Verdict()
    """Whether stable predicts worse than when it was promoted."""
    stale: Verdict = Verdict()
    top: list[DriftedFeature] = Field(default_factory=list, max_length=10)


class MonitorError(Exception):
    """The monitor did not answer, or not with verdicts; the message says so in one sentence."""


class SilentError(MonitorError):
    """It did not answer at all, whatever it was asked."""


async def ask_monitor(
    session: aiohttp.ClientSession, server: str, name: str, question: Question, *, token_file: Path | None = None
) -> Answer:
    """Return the monitor's answer.

    Args:
        session: Where connections are kept.
        server: Address of the monitor, such as http://headgate-monitor.ml.svc.
        name: Which ModelDeployment the question is about.
        question: The versions that have traffic, and how they are to be compared.
        token_file: Holds the monitor's bearer token; None: it wants none.
    """
    url = f"{server}/v1/drift/{name}"
    headers = _credentials(token_file)
    body: Mapping[str, Any] = question.model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        async with session.post(url, json=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                hint = "; its token comes from --monitor-token-file" if response.status == HTTPStatus.UNAUTHORIZED else ""
                raise MonitorError(f"the drift monitor at {url} answered HTTP {response.status}{hint}")
            text = await bounded_body(response, _LARGEST)
        return Answer.model_validate_json(text)
    except ValidationError as error:
        raise MonitorError(f"the drift monitor at {url} sent something that is no answer: {error.errors()[0]['msg']}") from error
    except TimeoutError as error:
        raise SilentError(f"the drift monitor at {server} did not answer within {_TIMEOUT.total:g} s") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise SilentError(f"the drift monitor at {server} cannot be asked: {_words(error)}") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise MonitorError(f"the drift monitor at {url} cannot be asked: {_words(error)}") from error


def _credentials(token_file: Path | None) -> Mapping[str, str]:
    if token_file is None:
        return {}
    try:
        return authorization(token_file)
    except (OSError, ValueError):
        raise MonitorError(f"the file of --monitor-token-file, {token_file}, cannot be read") from None


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
