"""Numbers outside what training saw: a tree gives them the answer of its outermost leaf, as if nothing were odd."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from headgate_serving.model.errors import ModelError, OutOfRangeError
from headgate_serving.model.features import FeatureSet


class RangePolicy(StrEnum):
    """What to do with a number outside its feature's range."""

    OFF = "off"
    COUNT = "count"
    """Predict and count."""

    CLIP = "clip"
    """Take the nearest end of the range, and count."""

    REFUSE = "refuse"
    """Refuse the request, and count."""


@dataclass(frozen=True)
class RangeGuard:
    """The ranges of a feature set, and what to do outside of them."""

    names: tuple[str, ...]
    policy: RangePolicy
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def of(cls, features: FeatureSet, policy: RangePolicy) -> "RangeGuard":
        """The guard of these features.

        Raises:
            ModelError: no feature has a range.
        """
        if policy is not RangePolicy.OFF and all(feature.range is None for feature in features.features):
            raise ModelError("the model's features have no ranges to guard; train it again, or start without a range guard")
        # Rounded to float32 as the matrix is: the largest training value itself must lie inside.
        ranges = np.array([feature.range or (-np.inf, np.inf) for feature in features.features], dtype=np.float32)
        return cls(features.names, policy, ranges[:, 0], ranges[:, 1])

    def apply(self, matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], dict[str, int]]:
        """The matrix to predict with, and how many values of which feature lay outside. NaN never does.

        Raises:
            OutOfRangeError: there is one, and the policy is to refuse.
        """
        if self.policy is RangePolicy.OFF:
            return matrix, {}
        outside = (matrix < self.low) | (matrix > self.high)
        if not outside.any():
            return matrix, {}
        counts = outside.sum(axis=0)
        found = {self.names[position]: int(counts[position]) for position in np.flatnonzero(counts)}
        if self.policy is RangePolicy.REFUSE:
            raise OutOfRangeError(self._sentence(matrix, outside), found)
        return (np.clip(matrix, self.low, self.high) if self.policy is RangePolicy.CLIP else matrix), found

    def _sentence(self, matrix: NDArray[np.float32], outside: NDArray[np.bool_]) -> str:
        row, position = np.argwhere(outside)[0]
        name, low, high = self.names[position], self.low[position], self.high[position]
        return f"feature '{name}' is {matrix[row, position]:g} in row {row}, outside of what the model was trained on, {low:g} to {high:g}"
