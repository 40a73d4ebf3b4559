"""Learn the feature artifact from training data: the categories and their codes, the ranges of numbers."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from headgate_serving.model.encoding import Column, Columns, as_list, encode_numbers, is_missing
from headgate_serving.model.errors import FeatureError
from headgate_serving.model.features import Feature, FeatureKind, FeatureSet, UnknownPolicy


def fit_features(
    columns: Columns,
    kinds: Mapping[str, FeatureKind],
    *,
    unknown: UnknownPolicy = UnknownPolicy.OTHER,
    max_categories: int | None = None,
) -> FeatureSet:
    """The features named by `kinds`, in its order; categories most frequent first, ties by name.

    Args:
        columns: The training rows, by feature.
        kinds: Which columns the model reads, and as what.
        unknown: What serving does with a category that is not kept here.
        max_categories: How many categories a feature keeps; None keeps all.

    Raises:
        FeatureError: a column is absent or holds values of the wrong kind.
    """
    if max_categories is not None and max_categories < 1:
        raise FeatureError(f"max_categories must be at least 1 or None, found {max_categories}")
    return FeatureSet(tuple(_fit(name, kind, columns, max_categories) for name, kind in kinds.items()), unknown)


def _fit(name: str, kind: FeatureKind, columns: Columns, max_categories: int | None) -> Feature:
    if name not in columns:
        raise FeatureError(f"the training data has no column '{name}'; it has {', '.join(columns)}")
    if kind is FeatureKind.NUMBER:
        return Feature(name, kind, range=_range(name, columns[name]))
    return Feature(name, kind, _categories(name, columns[name])[:max_categories])


def _categories(name: str, values: Column) -> tuple[str, ...]:
    counts = Counter(as_list(values))
    known = {value: count for value, count in counts.items() if not is_missing(value)}
    wrong = [value for value in known if not isinstance(value, str)]
    if wrong:
        raise FeatureError(f"feature '{name}' is a category and must hold strings or null, found {wrong[0]!r}")
    return tuple(sorted(known, key=lambda category: (-known[category], category)))


def _range(name: str, values: Column) -> tuple[float, float] | None:
    numbers = encode_numbers(name, values)
    known = numbers[np.isfinite(numbers)]
    return (float(known.min()), float(known.max())) if known.size else None
