"""Does the version on trial get the share of the requests that was decided?

A weight is a share of all requests. A mirror is a share of the other version's requests: each is copied, or not, by the gateway's own coin.
A copy may be answered in a later block than its original, which no binomial law knows of; so a mirror's share is contradicted only where it
is off by more than a few points, and silence counts as if at most every second request were copied.
"""

from typing import Final

from headgate_operator.api.status import AnalysisStatus
from headgate_operator.rollout.analysis import wording
from headgate_operator.stats.silence import unexplained_silence
from headgate_operator.stats.split import contradicts_weight

_SLACK: Final = 0.05
"""By how much the share of answered copies may differ from the mirror's for no other reason than being under way."""

_LARGEST_SHARE_OF_SILENCE: Final = 0.5


def no_traffic(status: AnalysisStatus) -> str | None:
    """Say why chance does not explain that the version on trial gets no request; None if it may."""
    share = min(status.mirror / 100, _LARGEST_SHARE_OF_SILENCE) if status.mirror else status.weight / 100
    if not unexplained_silence(share, status.silent_requests):
        return None
    return (
        wording.no_copies(status.mirror, status.silent_requests)
        if status.mirror
        else wording.silence(status.weight, status.silent_requests)
    )


def split_mismatch(status: AnalysisStatus) -> str | None:
    """Say why chance does not explain its share of the requests; None if it may."""
    split = status.split
    if status.mirror:
        return (
            wording.mirror_mismatch(status.mirror, split)
            if _contradicts_mirror(split.candidate, split.stable, status.mirror / 100)
            else None
        )
    return (
        wording.split_mismatch(status.weight, split)
        if contradicts_weight(split.candidate, split.candidate + split.stable, status.weight / 100)
        else None
    )


def _contradicts_mirror(copies: int, originals: int, share: float) -> bool:
    """Test the nearest share that is not far off. More copies than originals are as many as there can be."""
    copies = min(copies, originals)
    nearest = min(max(copies / originals if originals else share, share - _SLACK), share + _SLACK)
    return contradicts_weight(copies, originals, nearest)
