"""Could a version as good as stable have failed from its first request on? An e-process that is told of single bad answers.

It begins with the candidate's first bad answer, which is not counted. From then on every bad answer of either version multiplies it by

    r/q              if the candidate gave it               q = wψ0 / (wψ0 + 1 − w),   r = (3 + q)/4
    (1−r)/(1−q) = ¼  if stable gave it

and the first good answer of the candidate ends it at 0. w is the candidate's share of traffic, ψ0 the tolerated odds ratio.

**Null**: the gateway picks the version of every request by itself, and the odds that the candidate answers it badly are at most ψ0 times
those of stable. Then, given all that happened before and that an answer is bad, the candidate gave it with a probability of at most q:
with p and p' the chances of either to be bad, p ≤ ψ0 p', and wp/(wp + (1−w)p') grows with p/p'. The mean factor at q is 1 and less below
it, so this is a supermartingale from request to request, and it ever reaches 1/α with probability at most α (Ville 1939): whatever the
base rate is and however it moves, whichever requests fail together, and however often one looks, also into open blocks. Of the order of
answers it needs to know nothing: bad answers of stable before the candidate's first only make it smaller.
"""

import math
from functools import lru_cache


def log_evidence_of_first_failures(candidate_bad: int, stable_bad: int, *, share: float, tolerated: float) -> float:
    """Natural log of the e-value after these bad answers, none of the candidate's being good; 0 < share ≤ 1 is its share of traffic."""
    return max(candidate_bad - 1, 0) * _log_gain(share, tolerated) - stable_bad * math.log(4)


@lru_cache(maxsize=64)
def _log_gain(share: float, tolerated: float) -> float:
    expected = share * tolerated / (share * tolerated + 1 - share)
    return math.log((3 + expected) / (4 * expected))
