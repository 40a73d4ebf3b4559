"""Asking the drift monitor on behalf of a snapshot, no oftener than it can have something new to say.

Verdicts are about whole windows, so an answer is good for a while. A monitor is that of a namespace: one that does not answer is left alone
by all the objects there, or each of them would wait for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import ModelDeploymentStatus, Pinned
from headgate_operator.metrics.monitor import Answer, MonitorError, Question, SilentError, Verdict, Version, ask_monitor
from headgate_operator.metrics.silence import Silence
from headgate_operator.rollout.observed import DriftReport, Finding, Subject
from headgate_operator.rollout.weights import beside_stable

_FRESH: Final = 10.0  # seconds that an answer, or its absence, stands for
_NO_MONITOR: Final = "the operator was started without --monitor, so nothing watches for drift"
_LARGEST_MEMORY: Final = 20_000  # answers; beyond it all are forgotten


@dataclass(frozen=True)
class _Remembered:
    question: Question
    report: DriftReport
    at: float


class Monitoring:
    """Asks the monitor of each namespace. One session for all; they are asked directly, never through a proxy of ours."""

    def __init__(self, address: str | None, *, token_file: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._address, self._token_file = address, token_file
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._said: dict[tuple[str, str], _Remembered] = {}
        self._silence = Silence(_FRESH, monotonic=clock)

    async def read(self, subject: Subject, spec: ModelDeploymentSpec, status: ModelDeploymentStatus) -> DriftReport:
        """Return the verdicts about the versions that have traffic; whatever goes wrong is in the report's `error`."""
        if self._address is None:
            return DriftReport(error=_NO_MONITOR)
        key, question = (subject.namespace, subject.name), _question(spec, status)
        known = self._said.get(key)
        if known is not None and known.question == question and self._clock() - known.at < _FRESH:
            return known.report
        report = await self._ask(self._address, subject, question)
        if len(self._said) >= _LARGEST_MEMORY:
            self._said.clear()
        self._said[key] = _Remembered(question, report, self._clock())
        return report

    def forget(self, key: tuple[str, str]) -> None:
        """Drop what was said about an object that is gone."""
        self._said.pop(key, None)

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, address: str, subject: Subject, question: Question) -> DriftReport:
        server = monitor_url(address, subject.namespace)
        token_file = Path(of_namespace(self._token_file, subject.namespace)) if self._token_file else None
        if (why := self._silence.why(server)) is not None:
            return DriftReport(error=why)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            return _report(await ask_monitor(self._session, server, subject.name, question, token_file=token_file), question)
        except SilentError as error:
            self._silence.keep(server, str(error))
            return DriftReport(error=str(error))
        except MonitorError as error:
            return DriftReport(error=str(error))


def monitor_url(address: str, namespace: str) -> str:
    """Return the address of a namespace's monitor."""
    return of_namespace(address, namespace).rstrip("/")


def of_namespace(text: str, namespace: str) -> str:
    """Return an option's value for one namespace."""
    return text.replace("{{namespace}}", namespace)


def _question(spec: ModelDeploymentSpec, status: ModelDeploymentStatus) -> Question:
    """Ask about stable beside the candidate; during the watch it is the promoted version that is on trial, beside the previous one."""
    stable, other = status.stable, beside_stable(status)
    assert stable is not None
    base: Pinned = stable
    trial: Pinned | None = other
    weight = other.weight if other is not None else 0
    if other is not None and status.candidate is None:
        base, trial, weight = other, stable, 100 - other.weight
    return Question(
        stable=_version(spec, base), trial=_version(spec, trial) if trial is not None else None, trial_weight=weight,
        drift=spec.drift, ground_truth=spec.ground_truth, error_rate=spec.analysis.false_rollback_rate,
        retraining=spec.retraining.on if spec.retraining is not None else None,
    )  # fmt: skip


def _version(spec: ModelDeploymentSpec, version: Pinned) -> Version:
    given = spec.drift.reference if spec.drift is not None else None
    return Version(id=version.id, reference=given.uri if given is not None else f"{version.model_uri.rstrip('/')}/headgate/drift")


def _report(answer: Answer, question: Question) -> DriftReport:
    return DriftReport(
        window=answer.window,
        reference=answer.reference,
        input=_finding(answer.input),
        candidate_input=_finding(answer.candidate_input),
        output=_finding(answer.output),
        candidate_output=_finding(answer.candidate_output),
        routing=_finding(answer.routing),
        prediction=_finding(answer.prediction),
        quality=_finding(answer.quality),
        ground_truth=_finding(answer.ground_truth),
        coverage=_finding(answer.coverage),
        skill=_finding(answer.skill),
        stale=_finding(answer.stale),
        top=tuple(answer.top),
        trial=question.trial.id if question.trial is not None else None,
    )


def _finding(verdict: Verdict) -> Finding:
    return Finding(signal=verdict.signal, message=verdict.message)
