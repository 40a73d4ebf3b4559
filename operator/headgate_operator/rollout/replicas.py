"""How many replicas each version needs: enough for the weight it is about to get, and never fewer for stable than it had at the start."""

from datetime import datetime
from math import ceil
from typing import Final

from headgate_operator.api.spec import ModelDeploymentSpec, Stage
from headgate_operator.api.status import Candidate, ModelDeploymentStatus
from headgate_operator.rollout.strategy import is_mirrored, mirrored_capacity

_FEWEST_MIRRORED: Final = 2
"""Some gateways answer every request of a route with 500 while its mirror has no endpoint: one crash of one pod must not reach clients."""


def current_step(spec: ModelDeploymentSpec, candidate: Candidate) -> Stage:
    """Return the step the candidate is at; before traffic the first, and the last if the manifest was shortened meanwhile."""
    steps = spec.rollout.stages
    return steps[min(max(candidate.step, 0), len(steps) - 1)]


def next_step(spec: ModelDeploymentSpec, candidate: Candidate) -> int | None:
    """Return the index of the step to go to: back to its own one if it gets nothing, or the one after; None means promotion."""
    if candidate.known_good or candidate.promote_now:
        return None
    step = candidate.step if not candidate.gets_requests and candidate.step >= 0 else candidate.step + 1
    if not candidate.gets_requests:
        return min(step, len(spec.rollout.stages) - 1)
    return step if step < len(spec.rollout.stages) else None


def step_over(spec: ModelDeploymentSpec, candidate: Candidate, now: datetime) -> bool:
    """Whether the step has lasted and been used long enough, or was ended by a person or a policy.

    This never turns back, so capacity may follow it.
    """
    if candidate.waived is not None or candidate.promote_now:
        return True
    step = current_step(spec, candidate)
    started = candidate.step_started_at
    return started is not None and now >= started + step.min_duration and candidate.step_requests >= step.min_requests


def replicas_for(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, weight: int) -> int:
    """Return how many replicas carry `weight` percent of what stable's replicas carry; at least one."""
    stable = status.stable
    full = (stable.frozen_min if stable else None) or spec.min_replicas
    return max(1, ceil(full * weight / 100))


def promoted_weight(spec: ModelDeploymentSpec) -> int:
    """Return the weight of a version right after its promotion."""
    watch = spec.rollout.watch
    return 100 - watch.holdback if watch.duration else 100


def starting_min(spec: ModelDeploymentSpec, status: ModelDeploymentStatus) -> int:
    """Return the replicas that must be up before parity is asked: one for a canary, all for a version that takes over at once."""
    assert status.candidate is not None
    return replicas_for(spec, status, 100) if status.stable is None or status.candidate.known_good else 1


def candidate_min(spec: ModelDeploymentSpec, status: ModelDeploymentStatus, now: datetime) -> int:
    """Return the candidate's minimum replicas now: for the weight it has, or already for the next once nothing but capacity may lack."""
    candidate = status.candidate
    assert candidate is not None
    if candidate.parity is None or status.stable is None or candidate.known_good:
        return starting_min(spec, status)
    if is_mirrored(spec):
        needed = replicas_for(spec, status, max(mirrored_capacity(spec, candidate), candidate.weight))
        return max(needed, min(_FEWEST_MIRRORED, spec.max_replicas))
    if candidate.weight > 0 and not step_over(spec, candidate, now):
        return replicas_for(spec, status, candidate.weight)
    step = next_step(spec, candidate)
    weight = spec.rollout.stages[step].weight if step is not None else promoted_weight(spec)
    return replicas_for(spec, status, max(weight, candidate.weight))


def stable_min(spec: ModelDeploymentSpec, frozen: int | None) -> int:
    """Return the minimum replicas of a version that must be able to take all traffic."""
    return max(spec.min_replicas, frozen or 0)
