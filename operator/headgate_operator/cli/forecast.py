"""What many rehearsals of one rollout say together. The same seed gives the same numbers."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from headgate_operator.cli.rehearsal import Ending, Fault, Run, Scene, rehearse

FAULTS: Final = (0.05, 0.1, 1.0)
"""Bad shares whose detection is rehearsed; 1 is a version that answers nothing well."""

_LOOKS: Final = 5_000
"""How often the operator looks at a step, at most, before a fault there counts as not caught; a watch ends by itself."""

_RUNS_PER_FAULT: Final = 4
"""A median needs fewer rehearsals than a small probability: one in so many."""

_CERTAINTY: Final = 0.95

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Typical:
    """Median and ninth decile of requests and time, of those rehearsals in which it happened at all."""

    happened: int
    of: int
    requests: tuple[int, int]
    time: tuple[timedelta, timedelta]

    @property
    def usual(self) -> bool:
        """Whether it happened in at least half of the rehearsals."""
        return 2 * self.happened >= self.of > 0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The rehearsals of a scene."""

    scene: Scene
    runs: tuple[Run, ...]
    """Of a good version."""
    caught: tuple[tuple[Typical, ...], ...]
    """By stage and FAULTS: candidate requests and time from the onset of a fault to its detection."""

    @property
    def endings(self) -> dict[Ending, int]:
        """How often the rollout of a good version ended how."""
        return {ending: sum(run.ending is ending for run in self.runs) for ending in Ending}

    @property
    def promotion(self) -> Typical:
        """Candidate requests and time from the first weight on until the promotion evidence is there."""
        return _typical([run.evident for run in self.runs])

    def end(self, stage: int) -> Typical:
        """When a stage ended, from the first weight on; requests are not counted."""
        return _typical([(0, run.ends[stage]) if len(run.ends) > stage else None for run in self.runs])

    @property
    def false_rollbacks_at_most(self) -> float:
        """With 95 % certainty the true probability of a false rollback is below this (Clopper & Pearson 1934)."""
        return _upper_bound(self.endings[Ending.ROLLED_BACK], len(self.runs))


def forecast(scene: Scene, *, runs: int, seed: int, advanced: Callable[[], None]) -> Forecast:
    """Rehearse a good version `runs` times, and every fault in every stage a quarter as often; `advanced` is called after each."""

    def rehearsals(count: int, name: str, fault: Fault | None = None) -> Iterable[Run]:
        for number in range(count):
            yield rehearse(scene, random.Random(f"{seed}/{name}/{number}"), fault)  # noqa: S311 - a simulation, no secret
            advanced()

    def catching(stage: int, share: float) -> Typical:
        if scene.stages[stage].watch and not any(len(run.ends) >= stage for run in good):
            return _typical([])  # without a promotion there is no watch
        if share <= scene.base_rate:
            return _typical([])  # no worse than the stable version
        fault = Fault(stage=stage, share=share, patience=patience(scene, stage))
        return _typical([run.caught for run in rehearsals(_per_fault(runs), f"{stage}/{share}", fault)])

    good = tuple(rehearsals(runs, "good"))
    caught = tuple(tuple(catching(stage, share) for share in FAULTS) for stage in range(len(scene.stages)))
    return Forecast(scene=scene, runs=good, caught=caught)


def patience(scene: Scene, stage: int) -> timedelta:
    """Return how long a fault in a stage may go on before it counts as not caught."""
    return scene.rehearsed(scene.stages[stage]) if scene.stages[stage].watch else _LOOKS * scene.poll(scene.stages[stage])


def rehearsals_in_all(scene: Scene, runs: int) -> int:
    """Return how many rehearsals a forecast takes."""
    return runs + len(scene.stages) * len(FAULTS) * _per_fault(runs)


def looks_in_all(scene: Scene, runs: int) -> int:
    """Return about how many polls are simulated in a forecast: what it costs."""
    looks = [scene.looks(stage) for stage in scene.stages]
    before_faults = sum(sum(looks[:stage]) for stage in range(len(looks)))
    return runs * sum(looks) + len(FAULTS) * _per_fault(runs) * before_faults


def _per_fault(runs: int) -> int:
    return max(1, runs // _RUNS_PER_FAULT)


def _typical(found: Sequence[tuple[int, timedelta] | None]) -> Typical:
    happened = [one for one in found if one is not None]
    requests = sorted(one[0] for one in happened) or [0]
    times = sorted(one[1] for one in happened) or [timedelta(0)]
    return Typical(
        happened=len(happened),
        of=len(found),
        requests=(_quantile(requests, 0.5), _quantile(requests, 0.9)),
        time=(_quantile(times, 0.5), _quantile(times, 0.9)),
    )


def _quantile(values: Sequence[T], share: float) -> T:
    return values[min(len(values) - 1, int(share * len(values)))]


def _upper_bound(events: int, runs: int) -> float:
    """Find the probability at which so few events would be seen in only 5 % of cases."""
    low, high = events / runs, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, runs, middle) > 1 - _CERTAINTY else (low, middle)
    return high


def _at_most(events: int, runs: int, share: float) -> float:
    if share >= 1:
        return float(events >= runs)
    log_ratio = math.log(share) - math.log1p(-share) if share > 0 else -math.inf
    start = runs * math.log1p(-share)
    terms = (start + _log_choose(runs, k) + (k * log_ratio if k else 0.0) for k in range(events + 1))
    return math.fsum(math.exp(term) for term in terms)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
