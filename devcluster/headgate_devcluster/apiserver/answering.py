"""From a request to its answer: who makes it, whether he may, which faults it meets, and that it is recorded.

What is no resource (discovery, health, questions about oneself) knows neither faults nor record.
"""

from collections.abc import Callable

from aiohttp import web

from headgate_devcluster.apiserver import plain, requests, reviews
from headgate_devcluster.apiserver.audit import Audit
from headgate_devcluster.apiserver.authentication import User
from headgate_devcluster.apiserver.calls import call_of
from headgate_devcluster.apiserver.errors import NoSuchPathError, Refusal
from headgate_devcluster.apiserver.faults import Faults
from headgate_devcluster.apiserver.gate import Gate
from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.requests import Address
from headgate_devcluster.apiserver.resources import Catalogue
from headgate_devcluster.apiserver.store import Store
from headgate_devcluster.apiserver.strikes import answered_under
from headgate_devcluster.apiserver.verbs import Verbs, body_of


class Answering:
    """The HTTP side of one server. `crash` kills the client of a call, for faults that ask for it."""

    def __init__(self, store: Store, catalogue: Catalogue, verbs: Verbs, gate: Gate) -> None:
        self._store, self._catalogue, self._verbs, self._gate = store, catalogue, verbs, gate
        self.faults, self.audit = Faults(), Audit()
        self.crash: Callable[[], None] = lambda: None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request, refusals included."""
        try:
            user = self._gate.user(request)
            found = await self._review(request, user) or plain.answer(request, self._catalogue)
            return found if found is not None else await self._resource(request, requests.address(request.path, self._catalogue), user)
        except NoSuchPathError:
            return web.Response(status=404, text="404 page not found\n")
        except Refusal as refusal:
            return _refused(refusal)

    async def _review(self, request: web.Request, user: User | None) -> web.Response | None:
        if request.method != "POST" or request.path not in {reviews.ACCESS, reviews.OTHERS_ACCESS, reviews.SELF}:
            return None
        asked = await body_of(request)
        match request.path:
            case reviews.SELF:
                told = reviews.self_review(user)
            case reviews.OTHERS_ACCESS:
                told = reviews.subject_review(asked, user, self._store)
            case _:
                told = reviews.access_review(asked, user, self._store)
        return web.Response(body=to_json(told), status=201, content_type="application/json")

    async def _resource(self, request: web.Request, address: Address, user: User | None) -> web.StreamResponse:
        call, code = call_of(request, address), 0
        try:
            exists = self._store.get(address.resource.storage, (address.namespace or "", address.name)) is not None
            self._gate.require(user, request, call, exists=exists)
            faults = self.faults.strike(call)
            response = await answered_under(faults, request, lambda: self._verbs.answer(request, address), self.crash)
            code = response.status if request.transport is not None else 0
        except Refusal as refusal:
            code = refusal.code
            raise
        finally:
            self.audit.add(call, code)
        return response


def _refused(refusal: Refusal) -> web.Response:
    response = web.Response(body=to_json(refusal.status), status=refusal.code, content_type="application/json")
    if (seconds := (refusal.details or {}).get("retryAfterSeconds")) is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
