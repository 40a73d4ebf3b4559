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
    values = ", ".join(str(value) for value in cases.unique()[:SHOWN_VALUES])
    wanted = _TYPE.match(check)
    if wanted:
        found = str(frame[column].dtype)
        kind = f"text, such as {values}" if found == "object" else found
        return f"the column '{column}' is {kind}; the schema says {wanted[1]}"
    rows = "1 row fails" if len(cases) == 1 else f"{len(cases)} rows fail"
    return f"{rows} the check {check} of '{column}', such as {values}"
