"""The comparison under way: counters, blocks and evidence by metric."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.timestamps import MicroTimestamp, Timestamp


class Verdict(StrEnum):
    """What one metric says about the candidate."""

    WORSE = "Worse"
    NOT_WORSE = "NotWorse"
    OBJECTIVE_MISSED = "ObjectiveMissed"
    UNDECIDED = "Undecided"
    NO_DATA = "NoData"
    PROVIDER_ERROR = "ProviderError"


class SideCounts(ApiModel):
    """A count on each side of the comparison."""

    candidate: int = Field(0, description="Of the version on trial.")
    stable: int = Field(0, description="Of the version it is compared with.")


class Traffic(ApiModel):
    """What the route was seen to say, and how many requests the analysis counted since the candidate's first traffic."""

    id: str = Field(description="Id of the revision.")
    weight: int = Field(description="Percent of traffic in the accepted route.")
    mirror: int = Field(0, description="Percent of the requests of which it gets a copy by the accepted route.")
    requests: int = Field(0, description="Requests that were analysed.")


class Sample(ApiModel):
    """The last reading of one proxy's counters for one slot, the baseline of the open block of all metrics that count the same."""

    metric: str = Field(description="Name of the first metric that counts these series so; all that do share the baseline.")
    proxy: str = Field(description="Address of the proxy.")
    slot: int = Field(description="Position in the route.")
    at: MicroTimestamp = Field(description="When it was read.")
    counters: dict[str, float] = Field(description="Counters by series.")


class Mixture(ApiModel):
    """The rollback e-process: every mixture started so far, weighted and summed per alternative odds ratio (stats/rollback.py)."""

    since: Timestamp = Field(description="When the newest mixture started.")
    started: int = Field(description="How many mixtures were started; the k-th has weight 1/(k(k+1)).")
    untouched: bool = Field(description="Whether no block was counted since the newest started.")
    log_wealth: list[float] = Field(description="One per alternative odds ratio.")
    objective: list[float] = Field(default_factory=list, description="The same for the absolute objective, if there is one.")


class FailStreak(ApiModel):
    """Whole blocks in a row in which every candidate request was bad, and what stable did meanwhile."""

    requests: int = Field(0, description="Candidate requests in a row that were all bad.")
    blocks: int = Field(0, description="Blocks in that row that had a candidate request.")
    stable_bad: int = Field(0, description="Bad requests of the other version since the row began.")
    stable_total: int = Field(0, description="All requests of the other version since the row began.")


class MetricStatus(ApiModel):
    """Evidence about one metric since the candidate's first traffic."""

    name: str = Field(description="Name of the metric.")
    definition: str = Field("", description="What the evidence is about; evidence about anything else is not carried over.")
    verdict: Verdict = Verdict.UNDECIDED
    message: str = Field("", max_length=512, description="The same in words, with the numbers.")
    mixture: Mixture | None = None
    promotion: list[float] = Field(default_factory=list, description="Log-wealths of the promotion e-processes, odds ratio first.")
    promotion_evidence: float = Field(0.0, description="Natural log of the promotion e-value.")
    promotion_bound: float = Field(0.0, description="Natural log of 1/(1 - promotionConfidence).")
    fail_streak: FailStreak = Field(default_factory=FailStreak)
    evidence: float = Field(0.0, description="Natural log of the rollback e-value.")
    bound: float = Field(0.0, description="Natural log of 1/alpha: at this evidence the candidate is rolled back.")
    objective_evidence: float = Field(0.0, description="Natural log of the e-value against the objective; at `bound` it is missed.")
    faults: int = Field(0, description="Bad requests of the candidate as the objective counts them: 5xx only, or slow ones.")
    bad: SideCounts = Field(default_factory=SideCounts)
    total: SideCounts = Field(default_factory=SideCounts)
    requests_needed: int | None = Field(None, description="Expected candidate requests until a decision at present rates.")
    discard_next: bool = Field(True, description="The first block after a weight change is thrown away: both weights were live in it.")
    last_block_end: MicroTimestamp | None = Field(None, description="When the last counted block ended.")


class AnalysisStatus(ApiModel):
    """The comparison under way: candidate against stable, or during the watch stable against previous."""

    candidate: str = Field(description="Id of the revision on trial.")
    candidate_slot: int = Field(description="Its position in the route; 2 while it gets copies only.")
    stable_slot: int = Field(description="Position of the version it is compared with.")
    weight: int = Field(description="Weight the open blocks belong to; a change closes them.")
    mirror: int = Field(
        0, description="Percent of the other version's requests that are copied to the one on trial, which then has no weight."
    )
    source: str = Field("", description="Names the provider, settings included, that the baselines were read from.")
    last_block_end: MicroTimestamp | None = Field(None, description="When the last block of any metric ended.")
    split: SideCounts = Field(default_factory=SideCounts, description="Requests of each version in the blocks at this weight.")
    silent_requests: int = Field(0, description="Requests to stable, at this weight, since the candidate last got one.")
    samples: list[Sample] = Field(
        default_factory=list, description="Baselines of the open blocks, one for all metrics that count the same."
    )
    metrics: list[MetricStatus] = Field(default_factory=list, description="Evidence by metric.")
