"""One parity check: the golden set of the manifest, the candidate's answers to it, and where they differ.

A candidate may take its time to answer, so it is asked outside of any pass; the pass that the answer wakes finds it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec, Protocol
from headgate_operator.api.status import Candidate, ModelDeploymentStatus
from headgate_operator.controller.errands import Errands
from headgate_operator.controller.golden import Golden, GoldenError, GoldenQuestion, inference_path, parse_golden, read_golden, request_body
from headgate_operator.controller.registries import Registries
from headgate_operator.controller.resources import CONFIG_MAPS
from headgate_operator.kube.protocol import KubeApi
from headgate_operator.rollout.observed import ParityAnswer, Subject
from headgate_operator.rollout.parity import difference
from headgate_operator.rollout.registry import registry_version

Key = tuple[str, str]

_AT_A_TIME: Final = 16
"""Candidates asked at the same time; the others wait their turn."""


@dataclass(frozen=True)
class _Matter:
    """What an answer is about: if any of it changes, so may the answer."""

    revision: str
    started_at: datetime
    golden: str
    address: str
    terms: str


class ParityCheck:
    """Asks candidates their golden inputs. Never raises for what a candidate or its golden set does wrong."""

    def __init__(self, api: KubeApi, question: GoldenQuestion, registries: Registries, *, wake: Callable[[Key], None]) -> None:
        self._api = api
        self._question = question
        self._registries = registries
        self._errands: Errands[Key, _Matter, ParityAnswer] = Errands(limit=_AT_A_TIME, wake=wake)
        self._said: dict[Key, tuple[_Matter, ParityAnswer]] = {}
        """The last answer of each candidate. Until the next one is there it stands, or its conditions would come and go."""

    async def check(
        self, subject: Subject, spec: ModelDeploymentSpec, status: ModelDeploymentStatus, *, address: str, ask: bool
    ) -> ParityAnswer | None:
        """Read the candidate's golden set, and have it asked at its `address` if `ask`; None while the registry is asked for that set.

        The answer is that of this pass or an earlier one; until there is any it says that nothing was asked.
        """
        candidate = status.candidate
        assert candidate is not None
        sha256: str | None = None
        try:
            found = await self._golden(subject, spec, status, candidate)
            if not isinstance(found, _Found):
                return found
            golden, sha256 = found.golden, found.golden.sha256
            if candidate.golden not in (None, sha256):
                raise GoldenError(Reason.GOLDEN_MISSING, _changed(found.where, candidate.id))
            if not ask:
                return ParityAnswer(revision=candidate.id, golden=sha256, asked=False)
        except GoldenError as error:
            return ParityAnswer(revision=candidate.id, golden=sha256, asked=ask, unavailable=(error.reason, str(error)))

        async def work() -> ParityAnswer:
            return await _ask(self._question, golden, subject=subject, spec=spec, candidate=candidate, address=address)

        matter = _Matter(candidate.id, candidate.started_at, sha256, address, spec.parity.model_dump_json())
        said = self._answer((subject.namespace, subject.name), matter, work)
        return said or ParityAnswer(revision=candidate.id, golden=sha256, asked=False)

    def forget(self, key: Key) -> None:
        """Give up what belongs to an object that is gone."""
        self._errands.forget(key)
        self._said.pop(key, None)

    async def close(self) -> None:
        """Give up all questions and release connections."""
        await self._errands.close()
        await self._question.close()

    def _answer(self, key: Key, matter: _Matter, work: Callable[[], Awaitable[ParityAnswer]]) -> ParityAnswer | None:
        """Return what was said last in this matter, and ask if nothing was, or once more in the pass after one without an answer."""
        results = self._errands.results(key)
        for about, answer in results.items():
            self._said[key] = (about, answer)
            self._errands.settle(key, about)
        known = self._said.get(key)
        said = known[1] if known is not None and known[0] == matter else None
        if said is None or (said.unavailable is not None and matter not in results):
            self._errands.start(key, matter, work)
        return said

    async def _golden(
        self, subject: Subject, spec: ModelDeploymentSpec, status: ModelDeploymentStatus, candidate: Candidate
    ) -> "_Found | ParityAnswer | None":
        """Return the golden set that the manifest names, else the one that the registry has for the candidate's version."""
        if spec.parity.golden is not None:
            name = spec.parity.golden.config_map
            return _Found(read_golden(await self._api.get(CONFIG_MAPS, subject.namespace, name), name), f"ConfigMap {name}")
        version, registry = registry_version(status, candidate.id), spec.model.registry
        if version is None or registry is None:
            return None
        tag = self._registries.golden((subject.namespace, subject.name), registry, version)
        if tag is None:
            return None
        if tag.error is not None:
            raise GoldenError(Reason.PARITY_UNAVAILABLE, f"the golden set of version {version} cannot be read: {tag.error}")
        if tag.text is None:
            return ParityAnswer(revision=candidate.id, golden=None, absent=True)
        where = f"the tag headgate.golden of version {version}"
        return _Found(parse_golden(tag.text, where), where)


@dataclass(frozen=True)
class _Found:
    golden: Golden
    where: str


def _changed(where: str, revision: str) -> str:
    return f"{where} changed since {revision} was started; put the old one back, or abort@ and retry@ {revision} to take this one"


async def _ask(
    question: GoldenQuestion, golden: Golden, *, subject: Subject, spec: ModelDeploymentSpec, candidate: Candidate, address: str
) -> ParityAnswer:
    try:
        mismatch = await _compare(question, golden, subject=subject, spec=spec, candidate=candidate, address=address)
    except GoldenError as error:
        return ParityAnswer(revision=candidate.id, golden=golden.sha256, unavailable=(error.reason, str(error)))
    return ParityAnswer(revision=candidate.id, golden=golden.sha256, mismatch=mismatch)


async def _compare(
    question: GoldenQuestion, golden: Golden, *, subject: Subject, spec: ModelDeploymentSpec, candidate: Candidate, address: str
) -> str | None:
    # From what was pinned: the manifest may already speak of another revision.
    model = candidate.inputs.get("model", {})
    protocol = Protocol(model.get("protocol") or Protocol.V2)
    path = inference_path(protocol, model.get("modelName") or subject.name)
    try:
        body = request_body(protocol, golden.request)
    except (KeyError, TypeError, ValueError) as error:
        raise GoldenError(Reason.GOLDEN_MISSING, f"the golden request is no V2 request body: {error}") from error
    answer = await question.ask(f"{address}{path}", body)
    return difference(answer, golden.outputs, protocol=protocol, tolerance=spec.parity.tolerance)
