"""Numbers that may leave a step: Kubeflow Pipelines fails a task over NaN, infinity or a numpy scalar, MLflow keeps them silently."""

import math
from collections.abc import Mapping
from typing import SupportsFloat

from headgate_components.step import StepError


def finite(name: str, value: SupportsFloat) -> float:
    """The value as a plain float.

    Raises:
        StepError: it is NaN or infinite.
    """
    number = float(value)
    if not math.isfinite(number):
        raise StepError(f"the metric '{name}' is {number}; there may be too few rows, or rows of one class only")
    return number


def all_finite(metrics: Mapping[str, SupportsFloat]) -> dict[str, float]:
    """`finite` for each of several metrics."""
    return {name: finite(name, value) for name, value in metrics.items()}


def thinned(count: int, most: int) -> list[int]:
    """At most `most` evenly spaced positions of a sequence, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(position * (count - 1) / (most - 1)) for position in range(most)})
