"""All checks of one examination: at the same time, each within its time, and none that fails is ever a good sign."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from headgate_operator.cli.doctor.case import Case
from headgate_operator.cli.doctor.definitions import check_definitions
from headgate_operator.cli.doctor.findings import Finding, failed, unknown
from headgate_operator.cli.doctor.gateway import check_gateway
from headgate_operator.cli.doctor.kserve import check_kserve, check_namespaces
from headgate_operator.cli.doctor.monitors import check_monitors
from headgate_operator.cli.doctor.operator import check_operator
from headgate_operator.cli.doctor.prometheus import check_evidence
from headgate_operator.cli.doctor.registries import check_registries
from headgate_operator.cli.doctor.rights import check_rights
from headgate_operator.cli.doctor.server import check_clock, check_cluster
from headgate_operator.cli.doctor.storage import check_storage
from headgate_operator.kube.protocol import ApiError, NotFoundError, UnavailableError

_AT_ONCE: Final = 4
_UNKNOWN_TO_IT: Final = 401
_FORBIDDEN: Final = 403

Check = Callable[[Case], Awaitable[list[Finding]]]

CHECKS: Final[dict[str, Check]] = {
    "cluster": check_cluster,
    "clocks": check_clock,
    "definitions": check_definitions,
    "kserve": check_kserve,
    "namespaces": check_namespaces,
    "gateway": check_gateway,
    "evidence": check_evidence,
    "registries": check_registries,
    "rights": check_rights,
    "storage": check_storage,
    "operator": check_operator,
    "monitor": check_monitors,
}
"""By the name that the checklist, --skip and docs/doctor.md have for it, in their order."""


@dataclass(frozen=True)
class Result:
    """What one check found."""

    check: str
    findings: tuple[Finding, ...]
    heard: bool = True
    """Whether the API server answered."""


_NO_CLUSTER: Final = unknown("the cluster cannot be asked", "see `cluster`")


async def examine(case: Case, names: Sequence[str], *, seconds: float) -> list[Result]:
    """Carry out checks by name, each for that long at most; without a cluster all but the first are unknown."""
    first = await _carry_out("cluster", case, seconds)
    others = [name for name in names if name != "cluster"]
    if not first.heard:
        return [first, *(Result(name, (_NO_CLUSTER,)) for name in others)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> Result:
        async with places:
            return await _carry_out(name, case, seconds)

    rest = await asyncio.gather(*map(one, others))
    return [first, *rest]


async def _carry_out(name: str, case: Case, seconds: float) -> Result:
    try:
        async with asyncio.timeout(seconds):
            findings = await CHECKS[name](case)
    except TimeoutError:
        return Result(name, (unknown(f"not found out within {seconds:g} s", "try again with a longer --timeout"),), heard=False)
    except ApiError as error:
        return Result(name, (_judge(error),), heard=error.status != 0)
    return Result(name, tuple(findings))


def _judge(error: ApiError) -> Finding:
    """Say what an API server's refusal means for what was to be found out."""
    if error.status == _UNKNOWN_TO_IT:
        return failed(str(error), "log in again: the credentials of the kubeconfig are not accepted, and may have expired")
    if error.status == _FORBIDDEN:
        return unknown(str(error), "ask somebody with that right, or be given it")
    if isinstance(error, NotFoundError):
        return unknown(str(error), "the cluster does not know this kind of object; what is to be installed is under `definitions`")
    if isinstance(error, UnavailableError) and not error.status:
        return failed(str(error), "is the cluster running, and does the kubeconfig name the right one?")
    return unknown(str(error), "look at the API server's log")
