"""Whether a pass that wrote has anything left to read back: asked of `decide` itself, with the status that was just put on record.

Most writes are news that nobody answers: a block of evidence, replica bounds. To read everything again after each of them would double
what a canary costs the API server. What somebody else makes of a write arrives as an event, like anything else that others do.
"""

from dataclasses import replace
from typing import Any

from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.needs import needs
from headgate_operator.rollout.observed import Observed


def settled(observed: Observed, decision: Decision) -> Decision | None:
    """Return the next decision if it is the same one again: then nothing follows from `decision` but what others make of it.

    None means to look again at once. Only for decisions that changed no more than the status and the bounds of InferenceServices: what
    the gateway makes of a route, and whether something that was created or deleted is there, is for a look to tell.
    """
    after = _carried_out(observed, decision)
    if observed.damaged or _looked_for(after.status) != _looked_for(observed.status) or _needs(after) != _needs(observed):
        return None
    again = decide(after)
    same = not again.notes and replace(again, notes=decision.notes, requeue_after=decision.requeue_after) == decision
    return again if same else None


def _carried_out(observed: Observed, decision: Decision) -> Observed:
    """Return the observation with everything in it that the operator itself has changed since."""
    bounds = {wanted.isvc: wanted.min_replicas for wanted in decision.services}
    services = {name: replace(seen, min_replicas=bounds.get(name, seen.min_replicas)) for name, seen in observed.services.items()}
    answers: dict[str, Any] = {"hooks": (), "registry_answers": (), "run_answers": (), "refused": {}}  # are on record now
    return replace(observed, status=decision.status, services=services, **answers)


def _looked_for(status: ModelDeploymentStatus) -> object:
    """Return what an observation goes by: who has which role, what the registry said, and which training run is followed."""
    versions = (status.stable, status.candidate, status.previous, *status.draining)
    return [version.id if version else None for version in versions], status.registry, status.retraining


def _needs(observed: Observed) -> object:
    return needs(observed.spec, observed.status, observed.services, observed.route)
