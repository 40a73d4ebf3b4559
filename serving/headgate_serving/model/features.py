"""The feature artifact: what a model reads, in which order, and how raw values become its matrix.

Training writes it and serving reads it, so that both encode with one definition and one code.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_serving.model.encoding import Columns, encode_categories, encode_numbers, quick_codes
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
    range: tuple[float, float] | None = None
    """Least and largest number seen in training; None where it is not known, and for categories."""

    def __post_init__(self) -> None:
        if self.range is not None and (self.kind is not FeatureKind.NUMBER or not self.range[0] <= self.range[1]):
            raise FeatureError(
                f"feature '{self.name}' cannot have the range {self.range}; a number has one from its least to its largest value"
            )
        if self.kind is FeatureKind.NUMBER and self.categories:
            raise FeatureError(f"feature '{self.name}' is a number and cannot have categories")
        if len(set(self.categories)) != len(self.categories):
            raise FeatureError(f"feature '{self.name}' names a category twice")

    @cached_property
    def codes(self) -> dict[str | None, float] | None:
        """The code of each category, None for a number; null is NaN, which trees treat as "not known"."""
        if self.kind is FeatureKind.NUMBER:
            return None
        return {None: float("nan"), **{category: float(code) for code, category in enumerate(self.categories)}}


@dataclass(frozen=True)
class Imputed:
    """Values a prediction was made without, by feature; features without any are not listed."""

    missing: dict[str, int]
    unknown: dict[str, int]


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
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which is refused below by name
            quick = quick_codes([(columns[feature.name], feature.codes) for feature in self.features], self._unseen)
            matrix = self._carefully(columns, rows) if quick is None else np.ascontiguousarray(quick.T, dtype=np.float32)
        if np.isinf(matrix).any():
            row, position = np.argwhere(np.isinf(matrix))[0]
            raise FeatureError(
                f"feature '{self.names[position]}' is infinite or beyond ±3.4e38 in row {row}; send null for a missing value"
            )
        return matrix

    def imputed(self, matrix: NDArray[np.float32]) -> "Imputed":
        """What `encode` had to fill in, by feature: values that were missing, and categories that training did not know."""
        missing = np.isnan(matrix).sum(axis=0)
        unknown = (matrix[:, self._categories] == self._unseen_codes).sum(axis=0)
        return Imputed(
            {self.names[position]: int(missing[position]) for position in np.flatnonzero(missing)},
            {self.names[self._categories[number]]: int(unknown[number]) for number in np.flatnonzero(unknown)},
        )

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
        except (KeyError, IndexError, TypeError) as error:
            raise FeatureError(f"the feature file lacks or misuses {error}") from error
        except FeatureError:
            raise
        except ValueError as error:
            raise FeatureError(f"the feature file holds a value that is not allowed: {error}") from error

    def _carefully(self, columns: Columns, rows: int) -> NDArray[np.float32]:
        matrix = np.empty((rows, len(self.features)), dtype=np.float32)
        for position, (feature, unseen) in enumerate(zip(self.features, self._unseen, strict=True)):
            values = columns[feature.name]
            codes = feature.codes
            matrix[:, position] = (
                encode_numbers(feature.name, values) if codes is None else encode_categories(feature.name, values, codes, unseen)
            )
        return matrix

    @cached_property
    def _categories(self) -> NDArray[np.intp]:
        return np.array([place for place, feature in enumerate(self.features) if feature.kind is FeatureKind.CATEGORY], dtype=np.intp)

    @cached_property
    def _unseen_codes(self) -> NDArray[np.float32]:
        return np.array([len(self.features[place].categories) for place in self._categories], dtype=np.float32)

    @cached_property
    def _unseen(self) -> tuple[float | None, ...]:
        other = self.unknown is UnknownPolicy.OTHER
        return tuple(float(len(feature.categories)) if other else None for feature in self.features)

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
    if feature.kind is FeatureKind.CATEGORY:
        content["categories"] = list(feature.categories)
    if feature.range is not None:
        content["range"] = list(feature.range)
    return content


def _feature_from_json(content: dict[str, Any]) -> Feature:
    low_high = content.get("range")
    limits = None if low_high is None else (float(low_high[0]), float(low_high[1]))
    return Feature(str(content["name"]), FeatureKind(content["kind"]), tuple(map(str, content.get("categories", ()))), limits)
