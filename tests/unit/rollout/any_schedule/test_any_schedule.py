"""Random schedules of edits, faults, commands, crashes and clock jumps. The invariants hold after every pass (rolloutinvariants.py
and conftest.py), and once all faults are over the rollout always comes to an end: what the manifest asks for serves, or it was refused; and
the next bad version is refused, the next good one promoted."""

import json
import os
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
VERBS = ["promote", "promote-full", "pause", "resume", "abort", "rollback", "retry", "reboot"]
MALFORMED = ["", "@", "promote", "promote@", "@r1", "promote@r1@r2", "abort @", "promote@" + 3000 * "x", "promote@\u2028"]


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

    @rule(
        replicas=st.sampled_from([{}, {"min": 1, "max": 1}, {"min": 3, "max": 6}]),
        watch=st.sampled_from([{"duration": "60s", "holdback": 5}, {"duration": "0s"}, {"duration": "10m", "holdback": 0}]),
        tolerate=st.sampled_from([1.25, 2.0]),
        history=st.integers(1, 3),
    )
    def the_manifest_changes_without_a_new_revision(self, replicas, watch, tolerate, history):
        rollout = self.world.manifest["rollout"] | {"watch": watch, "historyLimit": history}
        analysis = {"metrics": [{"name": "errors", "preset": "gateway-errors", "tolerate": tolerate, "maximum": "2%"}]}
        before = self.world.wanted.id
        self.world.apply(self.world.version, predictor={"replicas": replicas}, rollout=rollout, analysis=analysis)
        assert self.world.wanted.id == before
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

    @rule(version=VERSIONS, replicas=st.integers(1, 8))
    def the_autoscaler_moves(self, version, replicas):
        pod = self.world.pods.get(self.world.isvc_of(version))
        if pod is not None and pod.available > 0:
            pod.available = max(pod.min_replicas, replicas)

    @rule(version=VERSIONS, ours=st.booleans())
    def somebody_else_takes_or_returns_a_name(self, version, ours):
        pod = self.world.pods.get(self.world.isvc_of(version))
        if pod is not None:
            pod.ours = ours
        self.passes()

    @rule(proxy=st.integers(0, 2), slots=st.sets(st.integers(0, 1)))
    def counters_reset_and_vanish(self, proxy, slots):
        self.world.reset(proxy)
        self.world.vanished = slots
        self.passes()

    @rule(hours=st.sampled_from([-2.0, -0.01, 0.5, 30.0]))
    def the_clock_jumps(self, hours):
        self.world.now += timedelta(hours=hours)
        for pod in self.world.pods.values():
            pod.ready_at += timedelta(hours=hours)  # only the operator's clock jumps
        self.passes()

    @rule(problem=st.sampled_from(["", "RuntimeMissing", "InvalidSpec"]), golden=st.booleans())
    def the_cluster_lacks_something(self, problem, golden):
        self.world.problem = (Reason(problem), "as the test says") if problem else None
        self.world.golden_missing = None if golden else "no ConfigMap"
        self.passes()

    @rule()
    def the_operator_is_upgraded(self):
        self.world.release += 1
        self.passes(1)

    @rule()
    def nothing_happens(self):
        self.world.settle()

    @rule(passes=st.integers(1, 6))
    def a_leader_wakes_up_late(self, passes):
        self.world.fall_asleep()
        self.passes(passes)
        self.world.wake_up()
        self.passes(1)

    @rule(number=st.integers(0, len(MALFORMED) - 1))
    def a_person_mistypes(self, number):
        self.world.command = MALFORMED[number]
        self.passes()

    @rule(verb=st.sampled_from(VERBS), version=VERSIONS)
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

    @rule(strategy=st.sampled_from(["Canary", "BlueGreen", "Shadow"]), percent=st.sampled_from([20, 100]))
    def the_strategy_changes(self, strategy, percent):
        rollout = self.world.manifest["rollout"] | {"strategy": strategy, "shadowPercent": percent}
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
        self.calm_down()
        self.come_to_an_end()
        self.world.pass_time(timedelta(hours=3))  # the clock may have been that much ahead
        self.come_to_an_end()
        if self.world.condition("Stalled") == Reason.STATE_LOST:  # status and InferenceService lost: the condition says what to do
            self.world.apply(next(version for version in range(1, 5) if self.world.id_of(version) == self.world.status.stable.id))
            self.passes(1)
            self.come_to_an_end()
        self.is_over()
        self.the_next_version(5, bad=0.3)
        self.the_next_version(6, bad=0.0)

    def calm_down(self):
        world = self.world
        world.gateway_up, world.provider_error, world.crash_at, world.vanished = True, None, None, set()
        world.problem, world.golden_missing = None, None
        for pod in world.pods.values():
            pod.broken, pod.ours = False, True
        for version in range(1, 5):
            world.behave(version)
        world.pass_time(timedelta(seconds=60))
        world.manifest["paused"], world.rate, world.fleet = False, 300.0, Fleet()

    def is_over(self):
        world, status = self.world, self.world.status
        if world.wanted.id in {entry.id for entry in status.rejected}:
            assert world.phase is Phase.ROLLED_BACK, status
        else:
            assert world.phase is Phase.HEALTHY, status
            assert status.stable.id == world.wanted.id
        assert status.stable is None or world.weights == {status.stable.id: 100}
        assert sorted(world.pods) == ([status.stable.isvc] if status.stable else []), "no litter"

    def the_next_version(self, version, *, bad):
        """After the storm good versions are promoted, bad ones refused, within bounded passes."""
        rollout = {key: value for key, value in self.world.manifest["rollout"].items() if key not in ("maxDuration", "onInsufficientData")}
        revision = self.world.apply(version, rollout=rollout)
        self.world.behave(version, bad=bad)
        first = self.world.status.stable is None
        self.come_to_an_end()
        self.is_over()
        assert (revision in {entry.id for entry in self.world.status.rejected}) == (bad > 0 and not first)


def test_every_schedule_ends_well(make_stormy_world):
    """10,000 steps, always the same ones; HEADGATE_SCHEDULES=<number> tries that many others, of 50 steps each (`make schedules`)."""
    others = int(os.environ.get("HEADGATE_SCHEDULES", "0"))
    run_state_machine_as_test(
        type("Here", (Schedule,), {"make_world": make_stormy_world}),
        settings=settings(
            max_examples=others or 200,
            stateful_step_count=50,
            deadline=None,
            derandomize=not others,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
