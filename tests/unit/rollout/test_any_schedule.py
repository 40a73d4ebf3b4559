"""Random schedules of edits, faults, commands, crashes and clock jumps. The invariants hold after every pass (conftest.check), and once
all faults are over the rollout always comes to an end: what the manifest asks for serves, or it was refused."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ModelDeploymentStatus, Phase
from headgate_operator.api.stored import read_status
from headgate_operator.rollout.observed import Fleet

VERSIONS = st.integers(1, 4)


class Schedule(RuleBasedStateMachine):
    make_world: type  # set by the test

    def __init__(self):
        super().__init__()
        self.world = self.make_world()
        self.world.rate = 300.0

    def passes(self, count=3):
        for _ in range(count):
            self.world.pass_and_wait()

    @rule(seconds=st.sampled_from([1, 3, 15, 60, 600, 4000]))
    def time_goes_by(self, seconds):
        self.world.run_for(seconds)
        self.world.pass_time(timedelta(seconds=1))

    @rule(version=VERSIONS)
    def the_manifest_changes(self, version):
        self.world.apply(version)
        self.passes()

    @rule(version=VERSIONS, bad=st.sampled_from([0.0, 0.0, 0.1, 1.0]), mismatch=st.sampled_from([None, None, "different"]))
    def a_version_behaves(self, version, bad, mismatch):
        self.world.behave(version, bad=bad, mismatch=mismatch)

    @rule(version=VERSIONS, broken=st.booleans())
    def pods_come_and_go(self, version, broken):
        pod = self.world.pods.get(self.world.isvc_of(version))
        if pod is not None:
            pod.broken, pod.restarts = broken, pod.restarts + 1
            pod.available = 0
        self.passes()

    @rule(version=VERSIONS)
    def an_inference_service_is_deleted(self, version):
        self.world.pods.pop(self.world.isvc_of(version), None)
        self.passes()

    @rule(up=st.booleans())
    def the_gateway_comes_and_goes(self, up):
        self.world.gateway_up = up

    @rule(error=st.sampled_from([None, "the provider is down"]))
    def the_provider_comes_and_goes(self, error):
        self.world.provider_error = error

    @rule(verb=st.sampled_from(["promote", "promote-full", "pause", "resume", "abort", "rollback", "retry", "reboot"]), version=VERSIONS)
    def a_person_commands(self, verb, version):
        self.world.command = f"{verb}@{self.world.id_of(version)}"
        self.passes()

    @precondition(lambda self: self.world.route is not None and self.world.route.slots is not None)
    @rule(shape=st.sampled_from(["swapped", "other", "deleted"]))
    def the_route_is_edited(self, shape):
        route = self.world.route
        slots = (route.slots[1], route.slots[0]) if shape == "swapped" else None
        self.world.route = None if shape == "deleted" else replace(route, slots=slots)
        # What a person routes by hand is theirs; ours is that it is put back before the gateway has seen it.
        self.world.crash_at = None
        self.world.pass_and_wait()

    @precondition(lambda self: self.world.route is not None and self.world.status.stable is not None)
    @rule()
    def the_status_is_lost(self):
        self.world.status = ModelDeploymentStatus()
        self.passes()

    @rule(
        policy=st.sampled_from(["Hold", "Rollback", "Promote"]), longest=st.sampled_from(["10m", "24h"]), rate=st.sampled_from([0.0, 300.0])
    )
    def traffic_and_policies_change(self, policy, longest, rate):
        self.world.rate = rate
        rollout = self.world.manifest["rollout"] | {"onInsufficientData": policy, "maxDuration": longest}
        self.world.apply(self.world.version, rollout=rollout)
        self.passes()

    @rule(paused=st.booleans(), pauses=st.booleans())
    def the_manifest_pauses(self, paused, pauses):
        steps = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 25, 50)]
        steps = [{"pause": True}, steps[0], {"pause": True}, *steps[1:], {"pause": True}] if pauses else steps
        rollout = self.world.manifest["rollout"] | {"steps": steps}
        self.world.apply(self.world.version, paused=paused, rollout=rollout)
        self.passes()

    @precondition(lambda self: self.world.route is not None and self.world.status.stable is not None)
    @rule(role=st.sampled_from(["stable", "candidate", "previous", "rejected", "draining", "analysis", "lastCommand"]), half=st.booleans())
    def the_status_is_damaged(self, role, half):
        stored = json.loads(self.world.status.model_dump_json(by_alias=True, exclude_none=True))
        damage = {"slot": 7} if half and isinstance(stored.get(role), dict) else "nonsense"
        stored[role] = stored[role] | damage if isinstance(damage, dict) else damage
        self.world.status, self.world.damaged = read_status(stored)
        self.passes()

    @rule(others=st.integers(0, 2), frozen=st.booleans(), breaker=st.sampled_from([None, "9 of 9 rollouts"]))
    def the_fleet_changes(self, others, frozen, breaker):
        until = self.world.now + timedelta(hours=1) if frozen else None
        self.world.fleet = Fleet(others_under_way=others, limit=2, freeze_until=until, breaker=breaker)
        self.passes()

    @rule(writes=st.integers(0, 4))
    def the_operator_will_crash(self, writes):
        self.world.crash_at = self.world.writes + writes
        self.passes()

    def come_to_an_end(self):
        """Nobody leaves a rollout paused for ever."""
        world = self.world
        for _ in range(20):
            world.run(lambda world: world.condition("Stalled") == Reason.STATE_LOST or self.waits_for_a_person(), limit=5_000)
            if not self.waits_for_a_person():
                return
            world.command = f"{'resume' if world.status.candidate.paused else 'promote'}@{world.status.candidate.id}"
            self.passes()
        raise AssertionError(f"paused for ever: {world.status}")

    def waits_for_a_person(self):
        candidate = self.world.status.candidate
        return candidate is not None and (candidate.paused or candidate.at_pause)

    def teardown(self):
        world = self.world
        world.gateway_up, world.provider_error, world.crash_at = True, None, None
        for pod in world.pods.values():
            pod.broken = False
        for version in range(1, 5):
            world.behave(version)
        world.pass_time(timedelta(seconds=60))
        world.manifest["paused"], world.rate, world.fleet = False, 300.0, Fleet()
        self.come_to_an_end()
        world.pass_time(timedelta(hours=2))
        self.come_to_an_end()
        if world.condition("Stalled") == Reason.STATE_LOST:  # status and InferenceService lost: the condition says what to do
            world.apply(next(version for version in range(1, 5) if world.id_of(version) == world.status.stable.id))
            self.come_to_an_end()
        wanted = world.wanted.id
        refused = {entry.id for entry in world.status.rejected}
        if wanted in refused:
            assert world.phase is Phase.ROLLED_BACK
        else:
            assert world.phase is Phase.HEALTHY
            assert world.weights == {world.status.stable.id: 100}
            assert world.status.stable.id == wanted
        kept = [world.status.stable.isvc] if world.status.stable else []
        assert sorted(world.pods) == kept, "no litter"


def test_every_schedule_ends_well(make_world):
    run_state_machine_as_test(
        type("Here", (Schedule,), {"make_world": make_world}),
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
