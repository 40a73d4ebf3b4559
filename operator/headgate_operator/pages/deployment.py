"""One ModelDeployment, ready to be shown: everything a page says about it, without how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Final
from urllib.parse import urlsplit

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Owner
from headgate_operator.api.status import (
    Condition,
    ConditionStatus,
    ConditionType,
    MetricStatus,
    ModelDeploymentStatus,
    Phase,
    RefusalEvidence,
    Signal,
)
from headgate_operator.pages.chart import LOOKS, Chart, Gauge, Mark, Split, Tone
from headgate_operator.pages.panels import Labels, Story, panels
from headgate_operator.pages.roles import Role, roles
from headgate_operator.pages.sample import Sample
from headgate_operator.pages.words import clock_for, number

_BAD_PHASES: Final = frozenset({Phase.ROLLED_BACK, Phase.STALLED})
_WAITING: Final = frozenset({Phase.HOLDING, Phase.SUSPENDED, Phase.PAUSED})
URGENCY: Final = {
    phase: place
    for place, phase in enumerate(
        (
            Phase.STALLED, Phase.SUSPENDED, Phase.HOLDING, Phase.ROLLED_BACK, Phase.PAUSED, Phase.PROGRESSING, Phase.PROMOTING,
            Phase.WATCHING, Phase.PENDING, Phase.HEALTHY,
        )
    )
}  # fmt: skip
"""Places in a list: whoever needs a person comes first."""
_ROLE_LOOKS: Final = {"stable": 0, "candidate": 1, "previous": 3}
_OTHER_LOOKS: Final = (2, 4, 5, 6)
_EXPLANATIONS: Final = {reason.value: reason.explanation for reason in Reason}
_SIGNALS: Final = {
    "input": "stable's requests against the reference",
    "candidate_input": "the candidate's requests against the reference",
    "output": "stable's predictions against its evaluation",
    "candidate_output": "the candidate's predictions against its evaluation",
    "routing": "the candidate's requests against stable's",
    "prediction": "the candidate's predictions against stable's",
    "quality": "data quality, candidate against stable",
    "ground_truth": "labels, candidate against stable",
    "skill": "stable's skill since its promotion",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """An Event of the operator."""

    at: datetime
    reason: str
    message: str
    warning: bool
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is known of one object."""

    namespace: str
    name: str
    status: ModelDeploymentStatus
    steps: int
    """Weights of its canary."""
    owner: Owner | None = None
    seen_at: datetime | None = None
    """When it was last looked at."""
    trouble: str = ""
    """Why the last look failed."""
    samples: Sequence[Sample] = ()
    """Oldest first, by seconds since 1970."""
    told: Sequence[Told] = field(default=())
    """Newest first."""

    @property
    def roles(self) -> list[Role]:
        """Every version there is."""
        return list(roles(self.status, self.steps))

    @property
    def charts(self) -> list[Chart]:
        """The timeline."""
        if not self.samples:
            return []
        marks = tuple(Mark(told.at.timestamp(), f"{told.reason}", Tone.BAD if told.warning else Tone.PLAIN) for told in reversed(self.told))
        clock = clock_for(self.samples[0].at, self.samples[-1].at)
        return panels(Story(samples=self.samples, labels=self.labels, clock=clock, marks=marks))

    @property
    def labels(self) -> Labels:
        """What versions are called, and their colours: those of the bar of traffic, then what is left for versions that are gone."""
        status = self.status
        names = {entry.id: entry.version for entry in reversed(status.history)}
        names |= {entry.id: entry.version for entry in reversed(status.rejected)}
        names |= {role.pinned.id: role.pinned.version for role in self.roles}
        looks = {role.pinned.id: _ROLE_LOOKS.get(role.name, LOOKS - 1) for role in self.roles}
        looks |= dict(zip([id_ for id_ in names if id_ not in looks], cycle(_OTHER_LOOKS), strict=False))
        return Labels(names={id_: f"{version} ({id_})" if version else id_ for id_, version in names.items()}, looks=looks)

    @property
    def reason(self) -> Condition | None:
        """The condition that says how things stand: a person is needed, it moves, or it is at rest."""
        known = {condition.type: condition for condition in self.status.conditions}
        order = (ConditionType.STALLED, ConditionType.RECONCILING, ConditionType.READY)
        return next((known[kind] for kind in order if kind in known), None)

    @property
    def signals(self) -> list[tuple[str, Signal]]:
        """What the drift monitor says, as far as it says anything."""
        drift = self.status.drift
        if drift is None:
            return []
        said = [(words, getattr(drift, name)) for name, words in _SIGNALS.items()]
        return [(words, signal) for words, signal in said if signal is not Signal.UNKNOWN]

    @property
    def runbook(self) -> str | None:
        """The owner's runbook if a browser may follow it; whoever writes a manifest could write javascript: there."""
        address = self.owner.runbook if self.owner is not None else None
        return address if address and _is_web_address(address) else None


def phase_tone(phase: Phase) -> str:
    """Return the class of a phase's badge."""
    if phase in _BAD_PHASES:
        return "bad"
    return "wait" if phase in _WAITING else "good" if phase is Phase.HEALTHY else "moves"


def condition_tone(condition: Condition) -> str:
    """Return how a condition is coloured."""
    if condition.type is ConditionType.STALLED:
        return "bad"
    return "good" if condition.status is ConditionStatus.TRUE else "wait"


def explanation(reason: str) -> str:
    """Return what a reason means, in one sentence; nothing for a word of another release."""
    return _EXPLANATIONS.get(reason, "")


def split(status: ModelDeploymentStatus) -> Split:
    """Return the bar of who gets the traffic: stable first."""
    named = (("stable", status.stable), ("candidate", status.candidate), ("previous", status.previous))
    styles = {pinned.id: style for style, pinned in named if pinned is not None}
    order = ["stable", "previous", "candidate", "other"]
    carried = [(styles.get(entry.id, "other"), entry) for entry in status.traffic if entry.weight > 0]
    carried.sort(key=lambda pair: order.index(pair[0]))
    label = ", ".join(f"{style} {entry.weight} %" for style, entry in carried) or "no traffic"
    return Split(tuple((style, entry.weight) for style, entry in carried), label)


def evidence_gauge(evidence: float, bound: float, *, promotes: bool = False) -> Gauge:
    """Return evidence as a bar towards its bound."""
    part = evidence / bound if bound > 0 else 0.0
    return Gauge(part, f"{evidence:.1f} of {bound:.1f}", Tone.GOOD if promotes else Tone.BAD)


def highest_evidence(status: ModelDeploymentStatus) -> tuple[str, Gauge] | None:
    """Return the metric that speaks loudest against the version on trial."""
    metrics = status.analysis.metrics if status.analysis is not None else []
    if not metrics:
        return None
    worst = max(metrics, key=lambda metric: metric.evidence / metric.bound if metric.bound > 0 else 0.0)
    return worst.name, evidence_gauge(worst.evidence, worst.bound)


def side(metric: MetricStatus | RefusalEvidence, which: str) -> str:
    """Write bad and all requests of one side, with their share."""
    bad, total = getattr(metric.bad, which), getattr(metric.total, which)
    share = f" ({number(100 * bad / total)} %)" if total else ""
    return f"{bad:,} of {total:,}{share}"


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
