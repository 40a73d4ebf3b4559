"""Whether stored evidence has the shape that the statistics expect. Evidence of another shape is none."""

from headgate_operator.api.spec import Analysis, Metric
from headgate_operator.api.status import AnalysisStatus, MetricStatus
from headgate_operator.rollout.analysis import wealth
from headgate_operator.rollout.observed import MIRROR_SLOT
from headgate_operator.stats.promotion import ODDS_RATIOS, PARTS_OF_MAXIMUM
from headgate_operator.stats.rollback import alternatives


def readable(settings: Analysis, status: AnalysisStatus) -> bool:
    """Whether the evidence about every metric of the manifest can be counted on with."""
    if status.stable_slot not in (0, 1) or status.candidate_slot not in (1 - status.stable_slot, MIRROR_SLOT):
        return False
    defined = {(metric.name, wealth.definition(metric)): metric for metric in settings.metrics}
    return all(_fits(metric, stored) for stored in status.metrics if (metric := defined.get((stored.name, stored.definition))))


def _fits(metric: Metric, stored: MetricStatus) -> bool:
    if stored.promotion and len(stored.promotion) != len(ODDS_RATIOS) + len(PARTS_OF_MAXIMUM):
        return False
    return stored.mixture is None or len(stored.mixture.log_wealth) == len(alternatives(metric.tolerated_odds_ratio))
