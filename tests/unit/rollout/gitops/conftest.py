"""Every situation that a GitOps tool may find a ModelDeployment in, with the status that the engine itself writes there.

Beside each stands what people should see: the phase, Argo CD's health, kstatus's verdict, which Flux and `kubectl` plug-ins show.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from headgate_operator.api.crd import UNSEEN
from headgate_operator.api.names import API_VERSION, COMMAND_ANNOTATION, KIND
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.controller.act import status_fields
from headgate_operator.rollout.observed import Fleet


@dataclass(frozen=True)
class Situation:
    """One situation and what is to be seen of it."""

    play: Callable[[Any], Any]
    phase: Phase
    argocd: str
    kstatus: str


def nothing(world):
    return world


def starting(world):
    return world.run(lambda world: world.status.candidate is not None)


def never_ready(world):
    world.startup = timedelta(days=2)
    return world.run(lambda world: world.condition("Stalled") is not None)


def serving(world):
    return world.run()


def trial(world):
    second = serving(world).apply(2)
    return world.run(lambda world: world.weights.get(second) == 10 and world.status.candidate.step_started_at is not None)


def candidate_starting(world):
    serving(world).apply(2)
    return world.run(lambda world: world.status.candidate is not None)


def holding(world):
    trial(world).provider_error = "http://proxy does not answer"
    return world.run_for(600)


def held_too_long(world):
    world.manifest["rollout"] |= {"holdTimeout": "5m"}
    return holding(world)


def command(world, verb, revision):
    world.command = f"{verb}@{revision}"
    world.run(lambda world: world.command is None and not world.status.last_command.removing)
    return world


def paused_by_command(world):
    return command(trial(world), "pause", world.id_of(2))


def paused_by_manifest(world):
    trial(world).apply(2, paused=True)
    return world.run_for(60)


def paused_without_candidate(world):
    serving(world).apply(2, paused=True)
    return world.run_for(60)


def first_paused(world):
    return command(starting(world), "pause", world.id_of(1))


def pause_step(world):
    steps = [{"weight": 10, "minDuration": "15s", "minRequests": 100}, {"pause": True}, {"weight": 50}]
    serving(world).manifest["rollout"] |= {"steps": steps}
    world.apply(2)
    return world.run(lambda world: world.status.candidate is not None and world.status.candidate.at_pause)


def shadow_ready(world):
    serving(world).manifest["rollout"] |= {"strategy": "Shadow"}
    world.apply(2)
    return world.run(lambda world: world.condition("Reconciling") == Reason.SHADOW_READY)


def frozen(world):
    trial(world).fleet = Fleet(freeze_until=world.now + timedelta(days=1))
    return world.run_for(60)


def hook_failed(world):
    hook = {"name": "smoke", "type": "pre-rollout", "url": "http://hooks.ml/smoke", "retries": 0}
    serving(world).manifest["rollout"] |= {"hooks": [hook]}
    world.hook_answers["smoke"] = "HTTP 500"
    world.apply(2)
    return world.run(lambda world: world.condition("Reconciling") == Reason.HOOK_FAILED)


def endpoints_lost(world):
    pod = trial(world).pods[world.isvc_of(2)]
    pod.broken, pod.available = True, 0
    return world.run_for(30)


def suspended(world):
    trial(world).run(lambda world: world.weights.get(world.id_of(2)) == 25)
    world.behave(2, bad=1.0)
    world.pods[world.isvc_of(2)].restarts = 1
    return world.run(lambda world: world.phase is Phase.SUSPENDED)


def promoting(world):
    serving(world).apply(2)
    world.run(lambda world: world.status.previous is not None)
    return world


def watching(world):
    serving(world).apply(2)
    return world.run(lambda world: world.phase is Phase.WATCHING)


def promoted(world):
    serving(world).apply(2)
    return world.run()


def rolled_back(world):
    trial(world).behave(2, bad=0.9)
    return world.run()


def rolled_back_from_watch(world):
    return command(watching(world), "abort", world.id_of(2)).run()


def reverted_in_git(world):
    rolled_back(world).apply(1)
    return world.run()


def returning(world):
    return command(promoted(world), "rollback", world.id_of(2))


def invalid(world):
    serving(world).apply(2)
    world.problem = (Reason.INVALID_SPEC, "spec.rollout.steps: weights must rise")
    return world.run_for(30)


def runtime_missing(world):
    serving(world).apply(2)
    world.problem = (Reason.RUNTIME_MISSING, "there is no runtime headgate-xgboost")
    return world.run_for(30)


def outage(world):
    pod = serving(world).pods[world.isvc_of(1)]
    pod.broken, pod.available = True, 0
    world.step()
    return world


def unseen_change(world):
    serving(world).apply(2)
    return world


SITUATIONS = {
    "created, not seen by the operator": Situation(nothing, Phase.PENDING, "Progressing", "InProgress"),
    "the first revision starts": Situation(starting, Phase.PENDING, "Progressing", "InProgress"),
    "the first revision never starts": Situation(never_ready, Phase.STALLED, "Degraded", "Failed"),
    "the first revision is paused": Situation(first_paused, Phase.PENDING, "Suspended", "InProgress"),
    "serving": Situation(serving, Phase.HEALTHY, "Healthy", "Current"),
    "changed, not seen by the operator": Situation(unseen_change, Phase.HEALTHY, "Progressing", "InProgress"),
    "the candidate starts": Situation(candidate_starting, Phase.PROGRESSING, "Progressing", "InProgress"),
    "on trial": Situation(trial, Phase.PROGRESSING, "Progressing", "InProgress"),
    "on hold": Situation(holding, Phase.HOLDING, "Progressing", "InProgress"),
    "on hold for too long": Situation(held_too_long, Phase.STALLED, "Degraded", "Failed"),
    "paused by a command": Situation(paused_by_command, Phase.PAUSED, "Suspended", "InProgress"),
    "paused by the manifest": Situation(paused_by_manifest, Phase.PAUSED, "Suspended", "InProgress"),
    "paused before the candidate": Situation(paused_without_candidate, Phase.PAUSED, "Suspended", "InProgress"),
    "at a pause step": Situation(pause_step, Phase.PAUSED, "Suspended", "InProgress"),
    "a shadow waits": Situation(shadow_ready, Phase.PAUSED, "Suspended", "InProgress"),
    "in a freeze window": Situation(frozen, Phase.PAUSED, "Suspended", "InProgress"),
    "a hook said no": Situation(hook_failed, Phase.HOLDING, "Suspended", "InProgress"),
    "the candidate lost its endpoints": Situation(endpoints_lost, Phase.HOLDING, "Progressing", "InProgress"),
    "suspended after a restart": Situation(suspended, Phase.SUSPENDED, "Progressing", "InProgress"),
    "promoting": Situation(promoting, Phase.PROMOTING, "Progressing", "InProgress"),
    "watched": Situation(watching, Phase.WATCHING, "Progressing", "InProgress"),
    "promoted": Situation(promoted, Phase.HEALTHY, "Healthy", "Current"),
    "rolled back": Situation(rolled_back, Phase.ROLLED_BACK, "Degraded", "Failed"),
    "rolled back from the watch": Situation(rolled_back_from_watch, Phase.ROLLED_BACK, "Degraded", "Failed"),
    "reverted in git": Situation(reverted_in_git, Phase.HEALTHY, "Healthy", "Current"),
    "on the way back": Situation(returning, Phase.PROGRESSING, "Progressing", "InProgress"),
    "an invalid manifest": Situation(invalid, Phase.STALLED, "Degraded", "Failed"),
    "the runtime is missing": Situation(runtime_missing, Phase.STALLED, "Degraded", "Failed"),
    "the stable version is gone": Situation(outage, Phase.PENDING, "Degraded", "InProgress"),
}


def as_stored(world: Any) -> dict[str, Any]:
    """The ModelDeployment as an API server would return it; what the operator never saw has the status of the CRD's default."""
    seen = world.status.observed_generation is not None
    metadata: dict[str, Any] = {"name": "flight-delay", "namespace": "ml", "uid": "u1", "generation": world.generation}
    if world.command is not None:
        metadata["annotations"] = {COMMAND_ANNOTATION: world.command}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": world.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "status": status_fields(world.status) if seen else UNSEEN,
    }


@pytest.fixture(params=SITUATIONS)
def name(request: pytest.FixtureRequest) -> str:
    """Each situation in turn."""
    return str(request.param)


@pytest.fixture
def situation(name: str) -> Situation:
    """What is to be seen of it."""
    return SITUATIONS[name]


@pytest.fixture(scope="session")
def played() -> dict[str, Any]:
    """Situations that were played already: some take hours of the world's time."""
    return {}


@pytest.fixture
def there(name: str, situation: Situation, make_world: Any, played: dict[str, Any]) -> Any:
    """A world in that situation, the test's own."""
    if name not in played:
        played[name] = situation.play(make_world())
    return deepcopy(played[name])


@pytest.fixture
def stored() -> Callable[[Any], dict[str, Any]]:
    """Write a world's object out."""
    return as_stored


@pytest.fixture
def situations() -> dict[str, Situation]:
    """All of them."""
    return SITUATIONS
