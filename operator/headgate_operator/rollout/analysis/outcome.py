"""What an analysis pass answers, in the words the rollout decides by."""

from dataclasses import dataclass

from headgate_operator.api.status import AnalysisStatus, Verdict


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one metric says about the candidate now, with the numbers it says it from."""

    metric: str
    verdict: Verdict
    message: str
    """For people: "8.1% of 62 requests failed, 0.0% of 561 to stable; evidence 5.4 of 5.3"."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The new state of the comparison and everything that follows from it."""

    status: AnalysisStatus
    """Equal to the old one if no block closed and no baseline was taken."""
    outcomes: tuple[Outcome, ...]
    """One a metric, in the manifest's order."""
    worse: Outcome | None = None
    """The first metric whose rollback evidence reached its bound."""
    all_failing: Outcome | None = None
    """An error metric by which every recent candidate request failed while stable served well."""
    promotable: bool = False
    """Every metric is NotWorse: its promotion evidence is at its bound."""
    kept_requests: int = 0
    """Candidate requests in the block of the counting metric that was kept in this pass."""
    no_traffic: str | None = None
    """Why chance does not explain that the candidate gets no request, with numbers."""
    split_mismatch: str | None = None
    """Why chance does not explain the candidate's share of the requests, with numbers."""
    available: bool = True
    """False if any metric is ProviderError or NoData."""
