"""Admission webhooks: who is asked about an object before it is stored, and what the API server makes of a denial."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType

_FORBIDDEN = 403


@dataclass(frozen=True)
class Denial:
    """A webhook's no."""

    webhook: str
    """Its name, which the API server tells the client."""
    message: str
    code: int = _FORBIDDEN
    """500 where the webhook broke over the object."""


Webhook = Callable[[Object, Object | None], Denial | None]
"""Gets the object and, on updates, the stored one."""
Webhooks = Mapping[tuple[str, str], Webhook]
"""By (group, kind). They are not asked about subresources."""


def require_admitted(obj: Object, old: Object | None, resource: ResourceType, webhooks: Webhooks) -> None:
    """Refuse what a webhook denies, in the API server's own format."""
    webhook = webhooks.get((resource.group, resource.kind))
    denial = webhook(obj, old) if webhook is not None else None
    if denial is not None:
        reason = "Forbidden" if denial.code == _FORBIDDEN else ""
        raise Refusal(denial.code, reason, f'admission webhook "{denial.webhook}" denied the request: {denial.message}')
