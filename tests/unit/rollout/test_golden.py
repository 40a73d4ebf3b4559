"""A candidate is held to the golden set that was there when it started, whatever is applied under that name later."""

from dataclasses import replace

from headgate_operator.api.status import ParityResult
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.needs import needs
from headgate_operator.rollout.observed import ParityAnswer


def starting(serving):
    """Version 2 is the candidate, and not ready yet."""
    serving.apply(2)
    serving.step()
    return serving.observe()


def answered(observed, **answer):
    return decide(replace(observed, parity=ParityAnswer(revision=observed.status.candidate.id, **answer))).status.candidate


def test_the_golden_set_is_wanted_before_the_candidate_can_answer_and_only_until_it_is_pinned(serving):
    seen = starting(serving)
    wants = needs(seen.spec, seen.status, seen.services, seen.route)
    assert (wants.golden, wants.parity) == (True, False)
    serving.status = serving.status.model_copy(update={"candidate": answered(seen, golden="sha256:old", asked=False)})
    seen = serving.observe()
    assert not needs(seen.spec, seen.status, seen.services, seen.route).golden


def test_the_first_golden_set_that_was_read_is_pinned_and_proves_nothing_yet(serving):
    candidate = answered(starting(serving), golden="sha256:old", asked=False)
    assert (candidate.golden, candidate.parity) == ("sha256:old", None)


def test_answers_to_another_golden_set_neither_refuse_nor_pass_the_candidate(serving):
    seen = starting(serving)
    pinned = seen.status.candidate.model_copy(update={"golden": "sha256:old"})
    seen = replace(seen, status=seen.status.model_copy(update={"candidate": pinned}))
    for mismatch in (None, "all of it"):
        candidate = answered(seen, golden="sha256:new", mismatch=mismatch)
        assert (candidate.golden, candidate.parity) == ("sha256:old", None)
    assert answered(seen, golden="sha256:old").parity is ParityResult.PASSED
