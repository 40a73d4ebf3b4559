"""From a request to its answer: what is no resource is answered at once; a call on a resource meets its faults and is recorded."""

from collections.abc import Callable

from aiohttp import web

from headgate_devcluster.apiserver import plain, requests
from headgate_devcluster.apiserver.audit import Audit
from headgate_devcluster.apiserver.calls import call_of
from headgate_devcluster.apiserver.errors import NoSuchPathError, Refusal
from headgate_devcluster.apiserver.faults import Faults
from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.requests import Address
from headgate_devcluster.apiserver.resources import Catalogue
from headgate_devcluster.apiserver.strikes import answered_under
from headgate_devcluster.apiserver.verbs import Verbs


class Answering:
    """The HTTP side of one server. `crash` kills the client of a call, for faults that ask for it."""

    def __init__(self, catalogue: Catalogue, verbs: Verbs) -> None:
        self._catalogue, self._verbs = catalogue, verbs
        self.faults, self.audit = Faults(), Audit()
        self.crash: Callable[[], None] = lambda: None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request, refusals included."""
        try:
            found = plain.answer(request, self._catalogue)
            return found if found is not None else await self._resource(request, requests.address(request.path, self._catalogue))
        except NoSuchPathError:
            return web.Response(status=404, text="404 page not found\n")
        except Refusal as refusal:
            return _refused(refusal)

    async def _resource(self, request: web.Request, address: Address) -> web.StreamResponse:
        call, code = call_of(request, address), 0
        try:
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
