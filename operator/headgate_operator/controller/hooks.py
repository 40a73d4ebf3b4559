"""Calling hooks: one POST each, bounded in time and size, to addresses that the operator may ask.

Guarantee: a call is made at least once, and never again once its success is on record in status. A crash, or the loss of the lease, between
the answer and the record repeats it; the header Idempotency-Key, the same for every attempt at the same thing, lets a receiver tell.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import aiohttp

from headgate_operator.api.quantities import format_duration
from headgate_operator.controller.allowed import AllowList
from headgate_operator.controller.errands import Errands
from headgate_operator.controller.payload import Delivery
from headgate_operator.rollout.observed import HookAnswer, HookCall

_AT_A_TIME: Final = 32
_LONGEST: Final = timedelta(minutes=10)
"""However long the manifest lets a hook take: there are so many places and no more."""
_READ: Final = 2_000  # bytes of an answer; nobody needs the rest
_SHOWN: Final = 200
_HEADERS: Final = {"User-Agent": "headgate", "Accept-Encoding": "identity"}

Key = tuple[str, str]


class Hooks:
    """Makes calls in the background and keeps their answers until they are on record."""

    def __init__(self, *, allowed: AllowList, wake: Callable[[Key], None]) -> None:
        self._allowed = allowed
        self._errands: Errands[Key, HookCall, HookAnswer] = Errands(limit=_AT_A_TIME, wake=wake)
        self._session: aiohttp.ClientSession | None = None

    def answers(self, key: Key) -> tuple[HookAnswer, ...]:
        """Return the answers that are not on record yet."""
        return tuple(self._errands.results(key).values())

    def recorded(self, key: Key, answers: tuple[HookAnswer, ...]) -> None:
        """Forget answers: the status that was written knows what follows from them."""
        for answer in answers:
            self._errands.settle(key, answer.call)

    def start(self, key: Key, call: HookCall, delivery: Delivery) -> None:
        """Make a call, unless it is under way."""

        async def work() -> HookAnswer:
            refusal = await self._post(delivery)
            return HookAnswer(call=call, passed=refusal is None, message=refusal or "")

        self._errands.start(key, call, work)

    def forget(self, key: Key) -> None:
        """Give up what belongs to an object that is gone."""
        self._errands.forget(key)

    async def close(self) -> None:
        """Give up all calls and release connections."""
        await self._errands.close()
        if self._session is not None:
            await self._session.close()

    async def _post(self, delivery: Delivery) -> str | None:
        """Return why the hook did not agree, or None if it answered 2xx."""
        hook = delivery.hook
        if (refusal := self._allowed.refusal(hook.url)) is not None:
            return refusal
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        limit = min(hook.timeout, _LONGEST)
        try:
            async with self._session.post(
                hook.url,
                json=delivery.body,
                headers=_HEADERS | {"Idempotency-Key": delivery.id},
                timeout=aiohttp.ClientTimeout(total=limit.total_seconds()),
                allow_redirects=False,
            ) as response:
                if 200 <= response.status < 300:
                    return None
                return _refused(response, await response.content.read(_READ))
        except TimeoutError:
            return f"no answer within {format_duration(limit)}"
        except (aiohttp.ClientError, ValueError) as error:
            return f"it cannot be asked: {str(error) or type(error).__name__}"


def _refused(response: aiohttp.ClientResponse, body: bytes) -> str:
    if 300 <= response.status < 400:
        return f"it answered HTTP {response.status}, and redirects are not followed"
    said = " ".join(body.decode(errors="replace").split())[:_SHOWN]
    return f"it answered HTTP {response.status}" + (f": {said}" if said else "")
