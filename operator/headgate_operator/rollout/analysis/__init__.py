"""Is the candidate worse, or good enough? Counters in, evidence out; pure, like all of `rollout`.

    begin    the candidate gets its first traffic
    analyse  one reading of the gateway's counters: close blocks, add them to the evidence, say what follows
    reweigh  the weight changed

All state is in `AnalysisStatus`, so that it survives a restart. A closed block is counted exactly once, whoever reads it how often.
"""

from headgate_operator.rollout.analysis.comparison import begin, reweigh
from headgate_operator.rollout.analysis.failing import failing
from headgate_operator.rollout.analysis.judge import analyse, poll_interval
from headgate_operator.rollout.analysis.outcome import Analysis, Outcome
from headgate_operator.rollout.analysis.stored import readable

__all__ = ["Analysis", "Outcome", "analyse", "begin", "failing", "poll_interval", "readable", "reweigh"]
