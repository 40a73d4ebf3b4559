"""The model registries that manifests follow: what their aliases point to, the golden sets of versions, and what is written into them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headgate_operator.api.spec import Registry
from headgate_operator.controller.errands import Errands
from headgate_operator.controller.following import Following
from headgate_operator.controller.upstream.mlflow import golden_of_version, set_alias, set_tag, version_of_alias
from headgate_operator.controller.upstream.rest import Rest, RestError
from headgate_operator.rollout.upstream import RegistryAnswer, RegistryReport, RegistryWrite

_AT_A_TIME: Final = 16
_AFTER_FAILURE: Final = 30.0  # seconds until a registry that could not be read is asked again, if pollInterval is longer
_GOLDEN_PAUSE: Final = 30.0  # seconds: it is asked only while a candidate waits for it

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class GoldenTag:
    """The golden set of a version as the registry has it."""

    text: str | None = None
    """None: it has none, or (with `error`) nobody knows."""
    error: str | None = None


@dataclass(frozen=True)
class _Alias:
    server: str
    name: str
    alias: str
    interval: float


@dataclass(frozen=True)
class _Version:
    server: str
    name: str
    version: str


class Registries:
    """Reads and writes registries in the background; a pass only picks up what is known."""

    def __init__(self, rest: Rest, *, wake: Callable[[Key], None]) -> None:
        self._rest = rest
        self._aliases: Following[Key, _Alias, RegistryReport] = Following(ask=self._resolve, pause=_pause, wake=wake)
        self._goldens: Following[Key, _Version, GoldenTag] = Following(ask=self._golden, pause=lambda *_: _GOLDEN_PAUSE, wake=wake)
        self._writes: Errands[Key, RegistryWrite, RegistryAnswer] = Errands(limit=_AT_A_TIME, wake=wake)

    def alias(self, key: Key, registry: Registry | None) -> RegistryReport | None:
        """Return what the alias of a manifest points to, as far as it was looked up; from now on it is, every pollInterval."""
        if registry is None:
            self._aliases.forget(key)
            return None
        interval = registry.poll_interval.total_seconds()
        return self._aliases.latest(key, _Alias(registry.tracking_uri, registry.name, registry.alias, interval))

    def golden(self, key: Key, registry: Registry, version: str) -> GoldenTag | None:
        """Return the golden set of a version, None as long as it is being asked for."""
        return self._goldens.latest(key, _Version(registry.tracking_uri, registry.name, version))

    def golden_done(self, key: Key) -> None:
        """Ask for no golden set: no candidate waits for one."""
        self._goldens.forget(key)

    def answers(self, key: Key) -> tuple[RegistryAnswer, ...]:
        """Return what became of writes, as far as it is not on record yet."""
        return tuple(self._writes.results(key).values())

    def recorded(self, key: Key, answers: tuple[RegistryAnswer, ...]) -> None:
        """Forget answers: the status that was written knows what follows from them."""
        for answer in answers:
            self._writes.settle(key, answer.write)

    def start(self, key: Key, write: RegistryWrite) -> None:
        """Write something, unless that is under way."""

        async def work() -> RegistryAnswer:
            return RegistryAnswer(write=write, error=await self._write(write))

        self._writes.start(key, write, work)

    def forget(self, key: Key) -> None:
        """Give up what belongs to an object that is gone."""
        self._aliases.forget(key)
        self._goldens.forget(key)
        self._writes.forget(key)

    async def close(self) -> None:
        """Give up everything."""
        await self._aliases.close()
        await self._goldens.close()
        await self._writes.close()

    async def _resolve(self, question: _Alias) -> RegistryReport:
        source = RegistryReport(tracking_uri=question.server, name=question.name, alias=question.alias)
        try:
            found = await version_of_alias(self._rest, question.server, question.name, question.alias)
        except RestError as error:
            return RegistryReport(tracking_uri=source.tracking_uri, name=source.name, alias=source.alias, error=str(error))
        return RegistryReport(
            tracking_uri=source.tracking_uri, name=source.name, alias=source.alias, version=found.version, uri=found.uri
        )  # fmt: skip

    async def _golden(self, question: _Version) -> GoldenTag:
        try:
            return GoldenTag(text=await golden_of_version(self._rest, question.server, question.name, question.version))
        except RestError as error:
            return GoldenTag(error=str(error))

    async def _write(self, write: RegistryWrite) -> str | None:
        """Return why it could not be written."""
        try:
            for key, value in write.tags:
                await set_tag(self._rest, write.tracking_uri, write.name, write.version, key=key, value=value)
            if write.alias is not None:
                await set_alias(self._rest, write.tracking_uri, write.name, alias=write.alias, version=write.version)
        except RestError as error:
            return str(error)
        return None


def _pause(question: _Alias, answer: RegistryReport) -> float:
    return question.interval if answer.error is None else min(question.interval, _AFTER_FAILURE)
