"""Whether a challenger may take the champion's place."""

from dataclasses import dataclass

from headgate_components.evaluation.compare_to_champion.bootstrap import Metric
from headgate_components.seeds import check_seed
from headgate_components.step import StepError

PROMOTE, KEEP = "promote", "keep"
FEWEST_RESAMPLES, MOST_RESAMPLES = 100, 100_000


@dataclass(frozen=True)
class Rule:
    """When a challenger is good enough."""

    metric: Metric = Metric.ROC_AUC
    margin: float = 0.0
    """How much worse it may be, in the metric's own unit; 0 asks for a model that is better."""

    confidence: float = 0.95
    """One-sided: a challenger that is worse by exactly the margin is promoted with at most 1 − confidence."""

    resamples: int = 1000
    latency_ratio: float = 0.0
    """Most times of the champion's median single-row latency; 0 for no limit."""

    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if not self.margin >= 0:  # which NaN is not, either
            raise StepError(f"margin is {self.margin}; allowed are 0 (the challenger must be better) and more")
        if not 0.5 < self.confidence < 1:
            raise StepError(f"confidence is {self.confidence}; allowed are shares above 0.5 and below 1, such as 0.95")
        if not FEWEST_RESAMPLES <= self.resamples <= MOST_RESAMPLES:
            raise StepError(f"resamples is {self.resamples}; allowed are {FEWEST_RESAMPLES} to {MOST_RESAMPLES:,}")
        if not self.latency_ratio >= 0:
            raise StepError(f"maximum_latency_ratio is {self.latency_ratio}; allowed are 0 (no limit) and more")


@dataclass(frozen=True)
class Measured:
    """Champion and challenger on the same rows."""

    rows: int
    champion: float
    challenger: float
    lower_bound: float
    """The improvement is at least this, with the rule's confidence."""

    shift: float
    """How far the challenger's predictions are from the champion's: the largest difference of their distribution functions, 0 to 1."""

    champion_ms: float
    challenger_ms: float
    """Median single-row latencies, milliseconds."""

    @property
    def latency_ratio(self) -> float:
        """The challenger's latency in those of the champion."""
        return self.challenger_ms / self.champion_ms


@dataclass(frozen=True)
class Judgement:
    """`promote` or `keep`, and why."""

    verdict: str
    reason: str


def metric_named(name: str) -> Metric:
    """The metric of this name.

    Raises:
        StepError: there is none.
    """
    try:
        return Metric(name)
    except ValueError as error:
        raise StepError(f"the metric is {name!r}; allowed are {', '.join(Metric)}") from error


def judge(measured: Measured, rule: Rule, version: str) -> Judgement:
    """Promotes if the improvement is surely above minus the margin, and a row does not take too long."""
    improvement = rule.metric.sign * (measured.challenger - measured.champion) + 0.0  # of minus nothing, nothing
    found = (
        f"{rule.metric} is {measured.challenger:.4f} where version {version} has {measured.champion:.4f}: "
        f"an improvement of {improvement:+.4f}, of at least {measured.lower_bound:+.4f} with {rule.confidence:.0%} confidence"
    )
    if rule.latency_ratio and measured.latency_ratio > rule.latency_ratio:
        slower = f"a single row takes {measured.latency_ratio:.2f} times as long as with version {version}"
        return Judgement(KEEP, f"{slower}, at most {rule.latency_ratio:g} times are allowed; {found}")
    needed = f"more than {-rule.margin:+g}" if rule.margin else "more than 0"
    if measured.lower_bound > -rule.margin:
        return Judgement(PROMOTE, found)
    return Judgement(KEEP, f"{found}; {needed} is needed")
