"""Scores a Parquet file batch by batch: memory depends on the length of a batch and of a row group, not on the file.

No row is skipped, as in serving: what a model cannot know is missing to it, and counted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xgboost as xgb

from headgate_components import models, tables
from headgate_components.sources import locate
from headgate_components.step import StepError
from headgate_serving.model import Feature, FeatureKind, FeatureSet, UnknownPolicy

PROBABILITY = "probability"
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Scored:
    """What was scored."""

    rows: int
    absent: tuple[str, ...]
    """Features for which the file has no column; they were missing in all rows."""

    unknown: dict[str, int]
    """How many values of a feature the model has never seen and refuses, and were missing to it; nothing where it has a code for them."""


def batch_score(source: str, features_path: Path, model_path: Path, target: Path, *, id_column: str, rows: int) -> Scored:
    """Writes a row with the id and the probability for each row of the source, in its order.

    Args:
        source: a path or URI of a Parquet file.
        features_path: the feature artifact.
        model_path: the booster.
        target: the Parquet file to write; it appears when all of it is there.
        id_column: the column that identifies a row; it is kept as it is.
        rows: the length of a batch.

    Raises:
        StepError: the file cannot be read, has no id or none of the features, or holds a value that is none.
    """
    if not 1 <= rows <= MOST_ROWS:
        raise StepError(f"batches of {rows} rows are not possible; allowed are 1 to {MOST_ROWS:,}")
    if source.endswith((".csv", ".csv.gz")):
        raise StepError(f"the data file '{source}' is CSV; what is to be scored must be Parquet, as `to_parquet` of pandas writes it")
    features, booster = models.read_features(features_path), models.read_model(model_path)
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    filesystem, path = locate(source)
    try:
        with filesystem.open_input_file(path) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
            scored = _score(file, _Scorer(features, booster, id_column), part, rows)
        part.rename(target)
    except FileNotFoundError as error:
        raise StepError(f"the data file '{source}' does not exist") from error
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the data file '{source}' could not be scored: {tables.first_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return scored


@dataclass(frozen=True)
class _Scorer:
    features: FeatureSet
    booster: xgb.Booster
    id_column: str

    def columns(self, file: pq.ParquetFile) -> list[str]:
        """What to read of the file: the id and the features it has."""
        empty = file.schema_arrow.empty_table()
        tables.require(empty, [self.id_column])
        present = [name for name in self.features.names if name in empty.column_names]
        if not present:
            raise StepError(f"the file has none of the model's features; it has {', '.join(empty.column_names)}")
        return list(dict.fromkeys([self.id_column, *present]))

    def score(self, batch: pa.RecordBatch, unknown: Counter[str]) -> pa.Array:
        """One probability a row; counts unknown values."""
        columns = {feature.name: self._column(feature, batch, unknown) for feature in self.features.features}
        return pa.array(models.predict(self.booster, models.encode(self.features, columns)), pa.float64())

    def _column(self, feature: Feature, batch: pa.RecordBatch, unknown: Counter[str]) -> np.ndarray:
        if feature.name not in batch.schema.names:
            return np.full(batch.num_rows, np.nan) if feature.kind is FeatureKind.NUMBER else np.full(batch.num_rows, None, dtype=object)
        values = batch.column(feature.name)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if feature.kind is FeatureKind.CATEGORY and self.features.unknown is UnknownPolicy.ERROR:
            strange = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=pa.array(feature.categories, values.type))))
            if found := pc.sum(strange).as_py():
                unknown[feature.name] += found
                values = pc.if_else(strange, pa.scalar(None, values.type), values)
        array: np.ndarray = values.to_numpy(zero_copy_only=False)
        return array


def _score(file: pq.ParquetFile, scorer: _Scorer, target: Path, rows: int) -> Scored:
    columns = scorer.columns(file)
    unknown: Counter[str] = Counter()
    schema = pa.schema([file.schema_arrow.field(scorer.id_column), pa.field(PROBABILITY, pa.float64())])
    done = 0
    with pq.ParquetWriter(target, schema) as writer:
        for batch in _batches(file, columns, rows):
            try:
                scores = scorer.score(batch, unknown)
            except StepError as error:
                raise StepError(f"in rows {done:,} to {done + batch.num_rows - 1:,}: {error}") from error
            writer.write_batch(pa.RecordBatch.from_arrays([batch.column(scorer.id_column), scores], schema=schema))
            done += batch.num_rows
    return Scored(done, tuple(name for name in scorer.features.names if name not in columns), dict(unknown))


def _batches(file: pq.ParquetFile, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """One row group after the other: asked for all of them at once, pyarrow reads ahead."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group], columns=columns)
