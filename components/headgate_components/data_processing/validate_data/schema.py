"""Checks a table against a pandera schema written in YAML."""

import re
from typing import Any

import pandas as pd
import yaml

from headgate_components.step import StepError

SHOWN_VALUES = 3
_TYPE = re.compile(r"dtype\('(.+)'\)$")


def schema_problems(frame: pd.DataFrame, schema: str) -> list[str]:
    """One sentence for each column and check that some row fails, with how many rows and which values.

    Args:
        frame: the table.
        schema: a pandera DataFrameSchema as YAML.

    Raises:
        StepError: the schema itself is not valid.
    """
    from pandera.errors import SchemaErrors

    try:
        _parsed(schema).validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        of_another_type = cases.loc[cases["check"].astype(str).str.match(_TYPE), "column"]
        # Checks of values only raise in a column of another type, and would be told as if a row had failed.
        told = cases[~cases["column"].isin(of_another_type) | cases["check"].astype(str).str.match(_TYPE)]
        groups = told.groupby(["column", "check"], dropna=False, sort=True)
        return [_sentence(frame, column, str(check), rows["failure_case"]) for (column, check), rows in groups]
    return []


def _parsed(schema: str) -> Any:
    from pandera.errors import SchemaDefinitionError, SchemaInitError
    from pandera.io.pandas_io import from_yaml

    try:
        # pandera also takes paths and schemas without columns, which check nothing.
        content = yaml.safe_load(schema)
        if not isinstance(content, dict) or not content.get("columns"):
            raise StepError("the validation schema is not a pandera schema: it needs a mapping 'columns' from names to types and checks")
        return from_yaml(yaml.safe_dump({"schema_type": "dataframe", **content}))  # type: ignore[no-untyped-call]
    except (yaml.YAMLError, SchemaDefinitionError, SchemaInitError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StepError(f"the validation schema cannot be read: {' '.join(str(error).split())}") from error


def _sentence(frame: pd.DataFrame, column: object, check: str, cases: "pd.Series") -> str:
    if check == "column_in_dataframe":
        missing = ", ".join(f"'{name}'" for name in cases)
        what = f"column {missing} is" if len(cases) == 1 else f"columns {missing} are"
        return f"the {what} missing; the table has {', '.join(map(str, frame.columns))}"
    wanted = _TYPE.match(check)
    if wanted:
        return f"the column '{column}' is {_kind(frame[column], cases)}; the schema says {wanted[1]}"
    rows = "1 row fails" if len(cases) == 1 else f"{len(cases)} rows fail"
    return f"{rows} the check {check} of '{column}', such as {_shown(cases)}"


def _kind(values: "pd.Series", cases: "pd.Series") -> str:
    """The type of a column; pandas calls text, dates and whatever else it has no type for an object."""
    found = str(values.dtype)
    known = values.dropna()
    if found != "object" or known.empty:
        return found
    name = type(known.iloc[0]).__name__
    wrong = known if cases.iloc[0] == found else cases  # pandera names the type of the column, or values in it
    return f"{'text' if name == 'str' else name}, such as {_shown(wrong)}"


def _shown(values: "pd.Series") -> str:
    return ", ".join(str(value) for value in values.unique()[:SHOWN_VALUES])
