"""Evidence that is no reason to promote: a share of traffic that contradicts the weight, an objective that is missed."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

OBJECTIVE = [{"name": "errors", "preset": "gateway-errors", "maximum": "1%"}]


def at_weight(world, weight):
    revision = world.apply(2)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def test_a_share_that_contradicts_the_weight_holds_the_step_and_goes_on_when_it_is_right_again(serving):
    second = at_weight(serving, 25)
    serving.pinned = 0.6
    serving.run_for(300)
    assert serving.weights[second] == 25
    assert serving.phase is Phase.HOLDING
    assert serving.condition("Reconciling") == Reason.SPLIT_MISMATCH
    assert serving.said(Reason.SPLIT_MISMATCH) == 1
    serving.command = f"promote@{second}"
    serving.run(lambda world: world.weights[second] == 50)
    serving.pinned = 0.0
    serving.run()
    assert serving.weights == {second: 100}


def test_a_worse_candidate_is_refused_whatever_its_share(serving):
    second = at_weight(serving, 25)
    serving.pinned = 0.6
    serving.behave(2, bad=0.5)
    serving.run()
    assert serving.status.rejected[0].id == second


def ill_world(make_world):
    """Both versions fail three times in a hundred, and one in a hundred was promised."""
    world = make_world(analysis={"metrics": OBJECTIVE})
    world.run()
    world.behave(1, bad=0.03)
    world.behave(2, bad=0.03)
    return world


def test_a_missed_objective_holds_before_promotion_and_rolls_nothing_back(make_world):
    world = ill_world(make_world)
    second = at_weight(world, 50)
    world.run_for(900)
    assert world.weights[second] == 50
    assert world.condition("Reconciling") == Reason.OBJECTIVE_MISSED
    assert world.status.rejected == []


def test_a_missed_objective_calls_a_person_who_may_promote(make_world):
    world = ill_world(make_world)
    second = at_weight(world, 50)
    for _ in range(5):
        world.run_for(1_000)
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT
    world.command = f"promote@{second}"
    world.run(lambda world: world.phase is Phase.WATCHING)


def test_a_missed_objective_is_no_lack_of_evidence(make_world):
    world = make_world(analysis={"metrics": OBJECTIVE, "requirePromotionEvidence": False})
    world.run()
    world.behave(1, bad=0.03)
    world.behave(2, bad=0.03)
    world.manifest["rollout"] |= {"onInsufficientData": "Promote", "holdTimeout": "2m"}
    second = at_weight(world, 50)
    world.run_for(900)
    assert world.weights[second] == 50


def test_a_refusal_keeps_the_numbers_it_was_decided_on(serving):
    serving.apply(2)
    serving.behave(2, bad=0.1)
    serving.run(lambda world: bool(world.status.rejected))
    entry = serving.status.rejected[0]
    numbers = entry.evidence
    assert (numbers.metric, numbers.verdict) == ("errors", "Worse")
    assert numbers.evidence >= numbers.bound > 0
    assert numbers.bad.candidate / numbers.total.candidate > 0.05
    assert numbers.total.stable > numbers.total.candidate
    assert str(numbers.total.candidate) in entry.message.replace(",", "")


def test_a_refusal_without_evidence_invents_no_numbers(serving):
    serving.apply(2)
    serving.behave(2, mismatch="different")
    serving.run()
    assert serving.status.rejected[0].evidence is None


def test_counters_of_another_provider_are_no_continuation_of_those_before(serving):
    second = at_weight(serving, 25)
    serving.run(lambda world: not world.status.analysis.metrics[0].discard_next)
    before = serving.status.analysis.metrics[0]
    serving.source = "another provider"
    for counters in serving.counters.values():
        counters["rq_2xx"] += 1_000_000
    serving.run_for(20)
    after = serving.status.analysis.metrics[0]
    assert after.definition == before.definition
    assert before.total.candidate <= after.total.candidate < before.total.candidate + 1000, "evidence stays, the jump is not counted"
    serving.run()
    assert serving.weights == {second: 100}


def test_a_status_that_does_not_tell_its_provider_goes_on_with_the_open_block(serving):
    at_weight(serving, 25)
    serving.step()
    analysis = serving.status.analysis
    serving.status = serving.status.model_copy(update={"analysis": analysis.model_copy(update={"source": ""})})
    serving.step()
    assert serving.status.analysis.source == "a provider"
    assert serving.status.analysis.samples == analysis.samples
