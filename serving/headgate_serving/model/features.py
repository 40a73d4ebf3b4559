"""The feature artifact: what a model reads, in which order, and how raw values become its matrix.

Training writes it and serving reads it, so that both encode with one definition and one code.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_serving.model.encoding import Columns, encode_categories, encode_numbers
from headgate_serving.model.errors import FeatureError

FORMAT = 1


class FeatureKind(StrEnum):
    """How the values of a feature are meant."""

    NUMBER = "number"
    CATEGORY = "category"


class UnknownPolicy(StrEnum):
    """What to do with a category that was not in the training data."""

    OTHER = "other"
    """Give all of them one code of their own, the number of known categories."""

    ERROR = "error"
    """Refuse to predict."""


@dataclass(frozen=True)
class Feature:
    """One raw input of the model; `categories` in the order of their codes, empty for numbers."""

    name: str
    kind: FeatureKind
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind is FeatureKind.NUMBER and self.categories:
            raise FeatureError(f"feature '{self.name}' is a number and cannot have categories")
        if len(set(self.categories)) != len(self.categories):
            raise FeatureError(f"feature '{self.name}' names a category twice")

    @cached_property
    def codes(self) -> dict[str | None, float]:
        """The code of each category; null is NaN, which trees treat as "not known"."""
        return {None: float("nan"), **{category: float(code) for code, category in enumerate(self.categories)}}


@dataclass(frozen=True)
class FeatureSet:
    """All features of a model in the order of its matrix columns."""

    features: tuple[Feature, ...]
    unknown: UnknownPolicy = field(default=UnknownPolicy.OTHER)

    def __post_init__(self) -> None:
        if not self.features:
            raise FeatureError("a feature set needs at least one feature")
        if len(set(self.names)) != len(self.names):
            raise FeatureError(f"a feature set names a feature twice: {', '.join(self.names)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def by_name(self) -> dict[str, Feature]:
        """The features by their names."""
        return {feature.name: feature for feature in self.features}

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """The model's matrix, shape (rows, features); columns the model does not read are ignored.

        Raises:
            UnknownCategoryError: an unseen category under the policy `error`.
            FeatureError: a column is absent, of another length, or holds values of the wrong kind or infinities.
        """
        rows = self._rows(columns)
        matrix = np.empty((rows, len(self.features)), dtype=np.float32)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which is refused below by name
            for position, feature in enumerate(self.features):
                matrix[:, position] = self._column(feature, columns)
        if np.isinf(matrix).any():
            row, position = np.argwhere(np.isinf(matrix))[0]
            raise FeatureError(
                f"feature '{self.names[position]}' is infinite or beyond ±3.4e38 in row {row}; send null for a missing value"
            )
        return matrix

    def to_json(self) -> dict[str, Any]:
        """The artifact's content, `headgate/features.json`."""
        return {"format": FORMAT, "unknown": self.unknown.value, "features": [_feature_to_json(feature) for feature in self.features]}

    @classmethod
    def from_json(cls, content: object) -> "FeatureSet":
        """The set written by `to_json`.

        Raises:
            FeatureError: another format, or content that describes no features.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise FeatureError(f"the feature file is not of format {FORMAT}; write it with FeatureSet.to_json")
        try:
            features = tuple(_feature_from_json(feature) for feature in content["features"])
            return cls(features, UnknownPolicy(content["unknown"]))
        except (KeyError, TypeError) as error:
            raise FeatureError(f"the feature file lacks or misuses {error}") from error
        except FeatureError:
            raise
        except ValueError as error:
            raise FeatureError(f"the feature file holds a value that is not allowed: {error}") from error

    def _column(self, feature: Feature, columns: Columns) -> NDArray[np.float64]:
        values = columns[feature.name]
        if feature.kind is FeatureKind.NUMBER:
            return encode_numbers(feature.name, values)
        unknown = float(len(feature.categories)) if self.unknown is UnknownPolicy.OTHER else None
        return encode_categories(feature.name, values, feature.codes, unknown)

    def _rows(self, columns: Columns) -> int:
        missing = [name for name in self.names if name not in columns]
        if missing:
            raise FeatureError(f"the columns lack {', '.join(missing)}; the model reads {', '.join(self.names)}")
        lengths = {len(columns[name]) for name in self.names}
        if len(lengths) != 1:
            raise FeatureError(f"the columns have different lengths: {', '.join(f'{name} {len(columns[name])}' for name in self.names)}")
        return lengths.pop()


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    content: dict[str, Any] = {"name": feature.name, "kind": feature.kind.value}
    return content if feature.kind is FeatureKind.NUMBER else {**content, "categories": list(feature.categories)}


def _feature_from_json(content: dict[str, Any]) -> Feature:
    return Feature(str(content["name"]), FeatureKind(content["kind"]), tuple(map(str, content.get("categories", ()))))
