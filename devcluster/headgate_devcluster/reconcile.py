"""The loop all controllers here share: look at everything afresh whenever something of interest may have changed."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus

from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.objects import Kind, Object, key

_RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


async def reconcile(
    name: str, api: ApiClient, kinds: Iterable[Kind], sync: Callable[[], Awaitable[None]], *, every: float | None = None
) -> None:
    """Run `sync` once, again after every change of an object of these kinds, and every so many seconds; a failed run is repeated.

    Never returns.

    Watches are only hints: `sync` reads what it needs itself, so nothing is lost when one is cut.
    """
    wake = asyncio.Event()
    wake.set()
    async with asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(_wake_on_change(api, kind, wake))
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await wake.wait()
            wake.clear()
            try:
                await sync()
            except (ApiError, ClusterError) as error:
                logger.warning("%s: %s; trying again", name, error)
                await asyncio.sleep(_RETRY_SECONDS)
                wake.set()


@contextlib.contextmanager
def unless_gone() -> Iterator[None]:
    """Let a write to an object that no longer exists pass: whoever deleted it wanted no more of it."""
    try:
        yield
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise


@contextlib.contextmanager
def keeps_others(obj: Object) -> Iterator[None]:
    """Let the server's refusal of what an object asks for (a name too long for a label, say) be that object's trouble alone."""
    try:
        yield
    except ApiError as error:
        if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise
        logger.warning("%s %s: %s", obj["kind"], "/".join(key(obj)), error)


async def _wake_on_change(api: ApiClient, kind: Kind, wake: asyncio.Event) -> None:
    while True:
        try:
            async for _ in api.watch(kind.api_version, kind.plural):
                wake.set()
        except ApiError as error:
            logger.debug("watching %s: %s", kind.plural, error)
        wake.set()  # whatever was missed between two watches
        await asyncio.sleep(_RETRY_SECONDS)
