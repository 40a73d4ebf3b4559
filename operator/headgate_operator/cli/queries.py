"""What an API server cannot see about the queries of a metric: whether they are PromQL, and whether they count."""

from collections.abc import Iterator
from typing import Final

import promql_parser

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.metrics.placeholders import filled

_EXAMPLE: Final = {"namespace": "ml", "name": "model", "revision": "r0123abcd", "isvc": "model-0123abcd", "slot": "0"}
_CHANGES: Final = frozenset({"delta", "deriv", "idelta", "increase", "irate", "rate"})
"""Functions that turn counters into something that may fall again."""


def query_problems(spec: ModelDeploymentSpec) -> list[str]:
    """Return a sentence for every query that cannot work, with its place."""
    return [
        f"spec.analysis.metrics[{number}].prometheus.{part}: {problem}"
        for number, metric in enumerate(spec.analysis.metrics)
        if metric.prometheus is not None
        for part, query in (("bad", metric.prometheus.bad), ("total", metric.prometheus.total))
        for problem in _problems(query)
    ]


def _problems(query: str) -> Iterator[str]:
    try:
        expression = promql_parser.parse(filled(query, _EXAMPLE, what="query"))
    except ValueError as error:
        yield f"is not PromQL: {error}"
        return
    for name in sorted(_called(expression) & _CHANGES):
        yield f"{name}() makes no counter; write the counter itself, Headgate takes the differences between two reads"
    if not _is_vector(expression):
        yield "must have an instant vector as its result, such as sum by (pod) (…), not a number, a text or a range"


def _called(expression: promql_parser.Expr) -> set[str]:
    names: set[str] = set()

    def note(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.Call):
            names.add(part.func.name)

    promql_parser.walk(expression, pre_visit=note)
    return names


def _is_vector(expression: promql_parser.Expr) -> bool:
    if isinstance(expression, promql_parser.Call):
        return bool(expression.func.return_type == promql_parser.ValueType.Vector)
    others = (promql_parser.NumberLiteral, promql_parser.StringLiteral, promql_parser.MatrixSelector, promql_parser.SubqueryExpr)
    return not isinstance(expression, others)
