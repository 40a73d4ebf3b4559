"""An objective the candidate misses keeps it from being promoted, and by itself convicts nobody."""

from datetime import timedelta

import pytest

from headgate_operator.api import spec
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import Verdict
from headgate_operator.rollout.analysis import reweigh

OBJECTIVE = spec.Analysis(metrics=[Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS, maximum=0.02)])
NONE = spec.Analysis(metrics=[Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)])
ILL = {"candidate": (50, 5), "stable": (150, 15)}


def missed(begun, blocks=30, **counts):
    return [begun.after(3, **(counts or ILL)).outcomes[0].verdict for _ in range(blocks)].count(Verdict.OBJECTIVE_MISSED)


def test_when_both_versions_are_ill_the_objective_blocks_promotion_and_rolls_nothing_back(session):
    begun = session(settings=OBJECTIVE).past_the_discarded_block()
    assert missed(begun) > 0
    found = begun.look()
    assert (found.outcomes[0].verdict, found.worse, found.promotable) == (Verdict.OBJECTIVE_MISSED, None, False)


def test_the_message_has_the_share_the_objective_and_the_evidence(session):
    begun = session(settings=OBJECTIVE).past_the_discarded_block()
    missed(begun, 12)
    state = begun.metric()
    assert state.message == f"10.0% of 600 requests failed with 5xx, at most 2% allowed; evidence {state.objective_evidence:.1f} of 4.6"
    assert state.faults == 60


def test_without_a_declared_objective_a_version_as_bad_as_stable_is_promoted(session):
    begun = session(settings=NONE).past_the_discarded_block()
    assert missed(begun) == 0
    assert begun.look().promotable
    assert begun.metric().objective_evidence == 0


def test_answers_that_are_the_clients_fault_do_not_count_against_the_objective(session):
    begun = session(settings=OBJECTIVE).past_the_discarded_block()
    for _ in range(30):
        begun.gateway.serve(1, 50, bad=5, code=4)
        begun.gateway.serve(0, 150, bad=15, code=4)
        begun.after(3)
    assert begun.metric().faults == 0
    assert begun.metric().verdict is Verdict.NOT_WORSE


def test_slow_answers_count_against_the_objective_of_latency(session):
    metric = Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=250), maximum=0.02)
    begun = session(settings=spec.Analysis(metrics=[metric])).past_the_discarded_block()
    for _ in range(20):
        begun.now += timedelta(seconds=3)
        begun.gateway.serve(1, 50, slow=5)
        begun.gateway.serve(0, 150, slow=15)
        found = begun.look()
    assert found.outcomes[0].verdict is Verdict.OBJECTIVE_MISSED
    assert found.outcomes[0].message.startswith("10.0% of 1000 requests were slower than 250ms, at most 2% allowed; evidence ")


def test_a_candidate_that_recovers_is_promoted_in_the_end(session):
    begun = session(settings=OBJECTIVE).past_the_discarded_block()
    assert missed(begun, 10) > 0
    for _ in range(60):
        found = begun.after(3, candidate=(50, 0), stable=(150, 0))
    assert found.promotable


def test_worse_beats_a_missed_objective(session):
    begun = session(settings=OBJECTIVE).past_the_discarded_block()
    for _ in range(30):
        found = begun.after(3, candidate=(50, 15), stable=(150, 0))
    assert begun.metric().objective_evidence > begun.metric().bound
    assert found.outcomes[0].verdict is Verdict.WORSE


@pytest.mark.parametrize("objective", [OBJECTIVE, NONE])
def test_evidence_about_the_objective_survives_a_change_of_weight(session, objective):
    begun = session(settings=objective).past_the_discarded_block()
    missed(begun, 3)
    before = begun.metric().objective_evidence
    begun.status = reweigh(begun.status, weight=25, now=begun.now)
    begun.look()
    assert begun.metric().objective_evidence == before
    assert len(begun.metric().mixture.objective) == (7 if objective is OBJECTIVE else 0)
