"""The API server itself: is it there, how old is it, and does its clock agree with ours."""

import re
from datetime import datetime
from typing import Final

from headgate_operator.api.quantities import format_duration
from headgate_operator.cli.doctor.case import Case
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown, warning
from headgate_operator.kube.client import Greeting

OLDEST: Final = (1, 30)
"""The runtime's `preStop.sleep` needs it."""
TOLERATED: Final = 2.0
"""Seconds by which clocks may differ: evidence is read at intervals of some seconds."""


async def check_cluster(case: Case) -> list[Finding]:
    """Reachable, and new enough."""
    return [judge_version((await case.api.greet()).version)]


def judge_version(version: str) -> Finding:
    """Say whether a Kubernetes of that version will do."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None:
        return unknown(
            f"the API server answers, but its version {version!r} cannot be read", "compare `kubectl version` with docs/install.md"
        )
    if (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return failed(f"Kubernetes {version} is older than {wanted}", f"upgrade the cluster to {wanted} or later")
    return ok(f"Kubernetes {version} answers")


async def check_clock(case: Case) -> list[Finding]:
    """This machine and the API server agree on the time."""
    return [judge_clock(await case.api.greet())]


def judge_clock(greeting: Greeting) -> Finding:
    """Compare the Date of an answer, which has whole seconds, with when it was sent for and received."""
    if greeting.date is None:
        return unknown("the API server does not say what time it is", "compare `date -u` on its machine with this one's")
    return judge_skew("the API server", offset(greeting.date, greeting.asked, greeting.answered, resolution=1.0))


def offset(theirs: datetime, asked: datetime, answered: datetime, *, resolution: float) -> float:
    """Return by how many seconds a clock is ahead of ours, at least: 0 while it may be right.

    What it said was true for `resolution` seconds, and was said at some time between asking and answering.
    """
    earliest, latest = (theirs - answered).total_seconds(), (theirs - asked).total_seconds() + resolution
    return earliest if earliest > 0 else min(latest, 0.0)


def judge_skew(whose: str, ahead: float) -> Finding:
    """Say whether a clock may be that far ahead of ours."""
    if abs(ahead) <= TOLERATED:
        return ok(f"the clock of {whose} agrees with this machine's")
    way = "ahead of" if ahead > 0 else "behind"
    return warning(
        f"the clock of {whose} is {abs(ahead):.1f} s {way} this machine's",
        f"let NTP set both; above {TOLERATED:g} s evidence, watches and deadlines are counted from the wrong moments",
    )


def age(then: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    return format_duration(now.replace(microsecond=0) - then.replace(microsecond=0)) or "0s"
