"""Can chance explain that the candidate gets no request?"""

import math
from typing import Final

IMPROBABLE: Final = 1e-4


def log_probability_of_silence(share: float, requests: int) -> float:
    """Natural log of (1−w)^n: the chance that none of `requests` reaches a version with the share w of the traffic, 0 ≤ w < 1."""
    return requests * math.log1p(-share)


def unexplained_silence(share: float, requests: int) -> bool:
    """Whether silence over so many requests has a probability below 10⁻⁴."""
    if share >= 1:
        return requests > 0
    return log_probability_of_silence(share, requests) < math.log(IMPROBABLE)
