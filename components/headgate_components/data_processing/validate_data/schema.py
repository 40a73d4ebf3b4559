"""Checks a table against a pandera schema written in YAML."""

from typing import Any

import pandas as pd
import yaml

from headgate_components.step import StepError

SHOWN_VALUES = 3


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
        groups = error.failure_cases.groupby(["column", "check"], dropna=False, sort=True)
        return [_sentence(column, check, cases["failure_case"]) for (column, check), cases in groups]
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


def _sentence(column: object, check: object, cases: "pd.Series") -> str:
    if check == "column_in_dataframe":
        return f"the column '{cases.iloc[0]}' is missing"
    values = ", ".join(str(value) for value in cases.unique()[:SHOWN_VALUES])
    rows = "1 row fails" if len(cases) == 1 else f"{len(cases)} rows fail"
    return f"{rows} the check {check} of '{column}', such as {values}"
