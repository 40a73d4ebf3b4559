"""Validates a table and writes the report, whatever the verdict."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from headgate_components import html, tables
from headgate_components.data_processing.validate_data.distribution import ColumnShift, Limits, shifts
from headgate_components.data_processing.validate_data.schema import schema_problems


@dataclass(frozen=True)
class Validation:
    """The verdict on a table."""

    problems: tuple[str, ...]
    """One sentence each; the table passed if there is none."""


def validate(source: Path, schema: str, report: Path, *, reference: Path | None = None, limits: Limits | None = None) -> Validation:
    """Checks the table and writes the HTML report before anything can fail because of the verdict.

    Args:
        source: the Parquet table.
        schema: a pandera schema as YAML.
        report: the HTML file to write.
        reference: an earlier table to compare distributions with.
        limits: how far columns may have moved from the reference.

    Raises:
        StepError: the table or the schema cannot be read.
    """
    limits = limits or Limits()
    frame = tables.read(source).to_pandas()
    moved = [] if reference is None else shifts(frame, tables.read(reference).to_pandas())
    problems = _emptiness(frame) + schema_problems(frame, schema) + [problem for shift in moved if (problem := shift.problem(limits))]
    html.write(report, "Data validation", _sections(frame, problems, moved))
    return Validation(tuple(problems))


def _emptiness(frame: pd.DataFrame) -> list[str]:
    return ["the table has no rows"] if frame.empty else []


def _sections(frame: pd.DataFrame, problems: list[str], moved: list[ColumnShift]) -> list[str]:
    missing = frame.isna().mean()
    columns = [(name, str(frame[name].dtype), f"{missing[name]:.2%}", *_range(frame[name])) for name in frame.columns]
    sections = [
        html.verdict(problems),
        html.note(f"{len(frame):,} rows, {frame.shape[1]} columns"),
        html.table("Columns", ("column", "type", "missing", "smallest", "largest"), columns),
    ]
    if moved:
        rows = [(shift.column, shift.distance, shift.missing_change) for shift in moved]
        sections.append(html.table("Against the reference", ("column", "distance", "change of missing share"), rows))
    return sections


def _range(values: pd.Series) -> tuple[object, object]:
    known = values.dropna()
    if known.empty:
        return "", ""
    return known.min(), known.max()
