"""What the API server, or a webhook behind it, does not take is told in the status as long as that is so; nothing else follows from it."""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.rollout.decide import decide

SAID = "flight-delay-1 cannot be written: admission webhook denied the request: bad resources"


def conditions(decision):
    return {condition.type: (condition.status, condition.reason, condition.message) for condition in decision.status.conditions}


def refused(world, revision):
    return decide(replace(world.observe(), refused={revision: SAID}))


def test_a_refused_candidate_needs_a_person_and_clients_are_served(serving):
    second = serving.apply(2)
    serving.startup *= 100
    serving.run(lambda world: world.status.candidate is not None)
    decision = refused(serving, second)
    found = conditions(decision)
    assert decision.status.phase is Phase.STALLED
    assert found["Stalled"] == ("True", Reason.INVALID_SPEC, SAID)
    assert found["CandidateAccepted"] == ("Unknown", Reason.INVALID_SPEC, SAID)
    assert found["Ready"][0] == "True"
    assert "Reconciling" not in found
    assert decision.status.candidate.hold_reason == Reason.INVALID_SPEC
    assert decision.status.rejected == []


def test_a_stable_version_whose_new_bounds_are_refused_is_told_of(serving):
    decision = refused(serving, serving.id_of(1))
    assert conditions(decision)["Stalled"] == ("True", Reason.INVALID_SPEC, SAID)
    assert conditions(decision)["Ready"][0] == "True"


def test_a_refusal_of_a_revision_that_nobody_wants_any_more_says_nothing(serving):
    assert refused(serving, "r00000000") == decide(serving.observe())
