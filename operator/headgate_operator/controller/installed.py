"""Does the cluster know every field of this release? An API server prunes what the installed CRD does not declare, without a word.

A status written through an older CRD would lose fields, and with them what the operator must remember: a commitment, a refusal, a pause.
So it does not act at all until the CRD is that of this release or a newer one.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, Final

from headgate_operator.api.crd import root_schema
from headgate_operator.api.names import GROUP, PLURAL, VERSION
from headgate_operator.controller.resources import CRDS
from headgate_operator.kube.protocol import ApiError, KubeApi

NAME: Final = f"{PLURAL}.{GROUP}"
REMEDY: Final = "install the one of this release with `headgate crd | kubectl apply --server-side -f -`"

_SHOWN: Final = 3
_FORBIDDEN: Final = frozenset({401, 403})
_FRESH: Final = timedelta(minutes=1)
"""How long one look at the CRD counts: it is large, and seldom changes."""

_log = logging.getLogger(__name__)


class InstalledCrd:
    """Looks at the installed CRD now and then."""

    def __init__(self, api: KubeApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._looked_at: datetime | None = None
        self._complaint = ""

    async def complaint(self) -> str:
        """Return in one sentence why nothing may be written, or an empty text. ApiError if the server does not answer."""
        now = self._clock()
        if self._looked_at is None or self._complaint or not timedelta(0) <= now - self._looked_at < _FRESH:
            self._complaint = await outdated(self._api)
            self._looked_at = now
        return self._complaint


async def outdated(api: KubeApi) -> str:
    """Return what the installed CRD lacks, in one sentence; empty if nothing, or if we have no right to look."""
    try:
        installed = await api.get(CRDS, None, NAME)
    except ApiError as error:
        if error.status not in _FORBIDDEN:
            raise
        _tell_blindness()
        return ""
    fields = list(islice(missing_fields(_schema(installed or {})), _SHOWN + 1))
    if not fields:
        return ""
    more = " and more" if len(fields) > _SHOWN else ""
    return f"the installed CRD {NAME} is older than this operator: it does not know {', '.join(fields[:_SHOWN])}{more}; {REMEDY}"


@cache
def _tell_blindness() -> None:
    """Say it once in the life of the process."""
    _log.warning(
        "whether the installed CRD is older than this operator cannot be checked: grant get on customresourcedefinitions %s "
        "(manifests/rbac/clusterrole.yaml); until then fields that it does not know are lost silently",
        NAME,
    )


def missing_fields(installed: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of this release's fields that a schema would prune, the outermost only."""
    yield from _missing(_ours(), installed, "")


def _missing(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str) -> Iterator[str]:
    if theirs.get("x-kubernetes-preserve-unknown-fields"):
        return
    known = theirs.get("properties", {})
    for name, schema in ours.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        if name in known:
            yield from _missing(schema, known[name], where)
        else:
            yield where
    for inner, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(ours.get(inner), Mapping) and isinstance(theirs.get(inner), Mapping):
            yield from _missing(ours[inner], theirs[inner], f"{path}{mark}")


@cache
def _ours() -> Mapping[str, Any]:
    return root_schema()


def _schema(installed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of the version that we use; an empty one if it is not there."""
    versions = installed.get("spec", {}).get("versions", ())
    found: Mapping[str, Any] = next((version for version in versions if version.get("name") == VERSION), {})
    schema: Mapping[str, Any] = found.get("schema", {}).get("openAPIV3Schema", {})
    return schema
