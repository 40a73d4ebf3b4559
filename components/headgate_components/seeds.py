"""Seeds, which several libraries take, each with limits and words of its own."""

from headgate_components.step import StepError

_MOST = 2**32 - 1
"""scikit-learn's."""


def check_seed(seed: int) -> None:
    """Refuses what one of the libraries would refuse.

    Raises:
        StepError: it is below 0, or too large.
    """
    if not 0 <= seed <= _MOST:
        raise StepError(f"the seed {seed} is not possible; allowed are 0 to {_MOST:,}")
