"""Everything that is done outside of passes: web hooks, model registries, training runs. A pass picks up answers and leaves requests."""

import asyncio
from collections.abc import Callable
from typing import Self

from headgate_operator.controller.hooks import Hooks
from headgate_operator.controller.payload import delivery
from headgate_operator.controller.registries import Registries
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.training import Training
from headgate_operator.controller.upstream.rest import Rest
from headgate_operator.rollout.decision import Decision
from headgate_operator.rollout.observed import Observed

Key = tuple[str, str]


class Background:
    """The parts, and what they have in common: answers are kept until a status has them on record."""

    def __init__(self, *, hooks: Hooks, registries: Registries, training: Training, rest: Rest) -> None:
        self.hooks = hooks
        self.registries = registries
        self.training = training
        self._rest = rest

    @classmethod
    def of(cls, settings: Settings, *, wake: Callable[[Key], None]) -> Self:
        """Make the parts; `wake` is called with the key of an object that an answer is about."""
        rest = Rest(allowed=settings.allowed, tokens=settings.tokens)
        return cls(
            hooks=Hooks(allowed=settings.allowed, wake=wake), registries=Registries(rest, wake=wake), training=Training(rest, wake=wake),
            rest=rest,
        )  # fmt: skip

    def recorded(self, key: Key, observed: Observed, decision: Decision) -> None:
        """Drop the answers that are on record now, and do what the decision asks for."""
        self.hooks.recorded(key, observed.hooks)
        self.registries.recorded(key, observed.registry_answers)
        self.training.recorded(key, observed.run_answers)
        known = {hook.name: hook for hook in observed.spec.rollout.hooks}
        for call in decision.hooks:
            self.hooks.start(key, call, delivery(call, hook=known[call.name], subject=observed.subject, status=decision.status))
        for write in decision.registry_writes:
            self.registries.start(key, write)
        if decision.run is not None:
            self.training.start(key, decision.run)

    def forget(self, key: Key) -> None:
        """Give up what belongs to an object that is gone."""
        self.hooks.forget(key)
        self.registries.forget(key)
        self.training.forget(key)

    async def close(self) -> None:
        """Give up everything and release connections."""
        await asyncio.gather(*(part.close() for part in (self.hooks, self.registries, self.training)))
        await self._rest.close()
