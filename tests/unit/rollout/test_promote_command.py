"""`promote@` ends what a step waits for, `promote-full@` ends all of it. Neither passes evidence, parity or missing replicas."""

from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase, Verdict


def at_weight(world, weight, version=2):
    revision = world.apply(version)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def result(world):
    return world.status.last_command.result


def test_promote_ends_a_hold_for_missing_requests_at_this_step_only(serving):
    second = at_weight(serving, 10)
    serving.rate = 0.0
    serving.run_for(120)
    serving.command = f"promote@{second}"
    serving.run_for(120)
    assert serving.weights[second] == 25
    assert serving.condition("Reconciling") == Reason.INSUFFICIENT_DATA
    assert serving.status.candidate.waived is None


def test_promote_ends_a_step_before_its_time(serving):
    second = at_weight(serving, 10)
    serving.command = f"promote@{second}"
    serving.run(lambda world: world.weights[second] == 25, limit=6)


def test_promote_passes_a_provider_outage(serving):
    second = at_weight(serving, 25)
    serving.provider_error = "down"
    serving.run_for(60)
    serving.command = f"promote@{second}"
    serving.run_for(60)
    assert serving.weights[second] == 50


def test_promote_at_the_last_step_promotes_without_evidence_and_the_watch_follows(serving):
    second = at_weight(serving, 50)
    serving.rate = 0.0
    serving.command = f"promote@{second}"
    serving.run(lambda world: world.phase is Phase.WATCHING)
    assert serving.status.stable.id == second


@pytest.mark.parametrize("verb", ["promote", "promote-full"])
def test_no_command_passes_evidence_that_it_is_worse(serving, verb):
    second = at_weight(serving, 10)
    serving.behave(2, bad=0.3)
    serving.run(lambda world: world.status.analysis.metrics and world.status.analysis.metrics[0].evidence > 2)
    serving.command = f"{verb}@{second}"
    serving.pods[serving.isvc_of(2)].available = 1
    serving.startup = timedelta(hours=1)
    serving.run()
    assert serving.status.rejected[0].id == second
    assert serving.weights == {serving.id_of(1): 100}


@pytest.mark.parametrize("verb", ["promote", "promote-full"])
def test_no_command_passes_stored_evidence_while_stable_is_away(serving, verb):
    second = at_weight(serving, 25)
    serving.run(lambda world: world.status.analysis.metrics and world.status.analysis.metrics[0].total.candidate > 0)
    analysis = serving.status.analysis
    worse = analysis.metrics[0].model_copy(update={"verdict": Verdict.WORSE, "evidence": 99.0})
    serving.status = serving.status.model_copy(update={"analysis": analysis.model_copy(update={"metrics": [worse, *analysis.metrics[1:]]})})
    serving.pods[serving.isvc_of(1)].broken = True
    serving.provider_error = "down"
    serving.command = f"{verb}@{second}"
    serving.run_for(120)
    assert result(serving) == "Applied"
    assert serving.weights[second] == 25
    assert serving.status.stable.id == serving.id_of(1)


def test_promote_full_skips_all_further_steps_once_its_replicas_are_there(make_world):
    serving = make_world(predictor={"replicas": {"min": 4}})
    serving.run()
    second = at_weight(serving, 10)
    assert serving.pods[serving.isvc_of(2)].available == 1
    serving.command = f"promote-full@{second}"
    seen = set()
    serving.run(lambda world: seen.add(world.weights.get(second)) or world.phase is Phase.WATCHING)
    assert seen == {10, 95}
    assert serving.pods[serving.isvc_of(2)].available == 4
    serving.run()
    assert serving.weights == {second: 100}


def test_promote_full_before_any_traffic_still_waits_for_parity(serving):
    second = serving.apply(2)
    serving.golden_missing = "there is none"
    serving.run_for(30)
    serving.command = f"promote-full@{second}"
    serving.run_for(120)
    assert second not in serving.weights
    serving.golden_missing = None
    serving.run(lambda world: world.weights.get(second, 0) >= 95)


@pytest.mark.parametrize("verb", ["promote", "promote-full"])
def test_a_command_seen_again_after_a_crash_ends_no_second_step(serving, verb):
    second = at_weight(serving, 10)
    serving.rate = 0.0
    serving.command = f"{verb}@{second}"
    serving.step()
    handled = serving.status.last_command
    serving.command = f"{verb}@{second}"  # the crash came before it was removed
    decision = serving.step()
    assert decision.command_done
    assert serving.status.last_command == handled
    assert serving.said(Reason.COMMAND_APPLIED) == 1
    assert serving.weights[second] == (25 if verb == "promote" else serving.weights[second])


def test_the_same_words_after_the_annotation_was_gone_are_a_new_command(serving):
    second = at_weight(serving, 10)
    serving.rate = 0.0
    for weight in (25, 50):
        serving.command = f"promote@{second}"
        serving.run_for(30)
        assert serving.weights[second] == weight
    assert serving.said(Reason.COMMAND_APPLIED) == 2


def test_promote_without_a_step_to_end_says_what_else_to_do(serving):
    serving.startup = timedelta(minutes=5)
    second = serving.apply(2)
    serving.run_for(10)
    serving.command = f"promote@{second}"
    serving.step()
    assert "promote-full@" in result(serving)


def test_promote_of_a_candidate_without_endpoints_does_nothing(serving):
    second = at_weight(serving, 25)
    serving.pods[serving.isvc_of(2)].broken = True
    serving.pods[serving.isvc_of(2)].available = 0
    serving.step()
    serving.command = f"promote@{second}"
    serving.step()
    assert "until it is ready" in result(serving)


def test_promote_of_a_first_or_known_revision_is_not_needed(world):
    world.apply(1)
    world.step()
    for verb in ("promote", "promote-full"):
        world.command = f"{verb}@{world.id_of(1)}"
        world.step()
        assert "by itself" in result(world)


def test_promote_names_the_candidate_or_nothing_happens(serving):
    for verb in ("promote", "promote-full", "pause", "resume"):
        serving.command = f"{verb}@{serving.id_of(1)}"
        serving.step()
        serving.step()
        assert result(serving) == "Ignored: it is not the candidate"
    assert serving.said(Reason.COMMAND_IGNORED) == 4
