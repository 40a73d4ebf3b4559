"""Fits the features on training rows and keeps the rows they can encode."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headgate_components import tables
from headgate_components.data_processing.build_features.checks import check_columns
from headgate_components.models import kinds, model_errors
from headgate_components.step import StepError
from headgate_serving.model import FeatureKind, FeatureSet, UnknownPolicy, fit_features


@dataclass(frozen=True)
class Parts:
    """The files of the two parts of a split."""

    train: Path
    evaluation: Path


@dataclass(frozen=True)
class BuiltFeatures:
    """What was learnt."""

    features: FeatureSet
    train_rows: int
    evaluation_rows: int
    dropped: int
    """Rows of both parts whose category was not kept, where such a category is an error."""


def build_features(
    source: Parts, target: Parts, features_path: Path, *, categories: list[str], numbers: list[str], unknown: str, max_categories: int
) -> BuiltFeatures:
    """Fits the feature artifact and writes it and the rows of both parts.

    Args:
        source: the parts as split.
        target: where the kept rows go.
        features_path: where the artifact goes.
        categories: features that are strings.
        numbers: features that are numbers.
        unknown: `other` gives categories that were not kept a code of their own; `error` makes serving refuse them, and drops the rows
            that have one from both parts here.
        max_categories: how many categories a feature keeps, the most frequent first; 0 keeps all.

    Raises:
        StepError: a parameter or a column does not fit, or no rows are left.
    """
    policy = _policy(unknown)
    if max_categories < 0:
        raise StepError(f"max_categories must be 0 (all) or more, found {max_categories}")
    wanted = kinds(categories, numbers)
    train, evaluation = tables.read(source.train), tables.read(source.evaluation)
    tables.require(train, wanted)
    check_columns(train, wanted, max_categories=max_categories)
    with model_errors():
        columns = tables.arrays(train, wanted)
        features = fit_features(columns, wanted, unknown=policy, max_categories=max_categories or None)  # type: ignore[arg-type]
    kept = [encodable(part, features, name) for part, name in ((train, "training"), (evaluation, "evaluation"))]
    for part, path in zip(kept, (target.train, target.evaluation), strict=True):
        tables.write(part, path)
    features_path.write_text(json.dumps(features.to_json(), indent=1, sort_keys=True), encoding="utf-8")
    dropped = train.num_rows + evaluation.num_rows - kept[0].num_rows - kept[1].num_rows
    return BuiltFeatures(features, kept[0].num_rows, kept[1].num_rows, dropped)


def _policy(unknown: str) -> UnknownPolicy:
    try:
        return UnknownPolicy(unknown)
    except ValueError as error:
        raise StepError(f"unknown is {unknown!r}; allowed are {', '.join(UnknownPolicy)}") from error


def encodable(table: pa.Table, features: FeatureSet, name: str) -> pa.Table:
    """The rows that the features can encode: all, unless a category that was not kept is an error.

    Raises:
        StepError: none is left; `name` says what they were for.
    """
    if features.unknown is UnknownPolicy.OTHER:
        return table
    for feature in features.features:
        if feature.kind is FeatureKind.CATEGORY:
            values = table.column(feature.name)
            table = table.filter(pc.or_kleene(pc.is_null(values), pc.is_in(values, value_set=pa.array(feature.categories, values.type))))
    if table.num_rows == 0:
        raise StepError(f"no row of {name} has only known categories; keep more categories or use unknown=other")
    return table
