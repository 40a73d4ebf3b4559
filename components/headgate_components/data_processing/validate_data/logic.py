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
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(_page(frame, problems, moved), encoding="utf-8")
    return Validation(tuple(problems))


def _emptiness(frame: pd.DataFrame) -> list[str]:
    return ["the table has no rows"] if frame.empty else []


def _page(frame: pd.DataFrame, problems: list[str], moved: list[ColumnShift]) -> str:
    missing = frame.isna().mean()
    columns = [(name, str(frame[name].dtype), f"{missing[name]:.2%}", *_range(frame[name])) for name in frame.columns]
    sections = [
        html.verdict(problems),
        f"<p>{len(frame):,} rows, {frame.shape[1]} columns</p>",
        html.table("Columns", ("column", "type", "missing", "smallest", "largest"), columns),
    ]
    if moved:
        rows = [(shift.column, shift.distance, shift.missing_change) for shift in moved]
        sections.append(html.table("Against the reference", ("column", "distance", "change of missing share"), rows))
    return html.page("Data validation", sections)


def _range(values: "pd.Series") -> tuple[object, object]:
    known = values.dropna()
    if known.empty:
        return "", ""
    return known.min(), known.max()
