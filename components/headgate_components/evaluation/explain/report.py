"""The explanation as sections of an HTML page."""

from collections.abc import Sequence

import numpy as np

from headgate_components import html, plots
from headgate_components.evaluation.explain.contributions import Contributions
from headgate_components.tables import Arrays

FEATURES_SHOWN = 20
EXAMPLES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Which rows are shown one by one: those at these quantiles of the predictions."""

EXAMPLE_FEATURES = 5


def sections(ranked: Sequence[tuple[str, float, float]], columns: Arrays, found: Contributions) -> list[str]:
    """Importance (name, contribution, share of all), then some rows."""
    shown = ranked[:FEATURES_SHOWN]
    most = ", ".join(f"{name} ({share:.0%})" for name, _, share in shown[:3])
    figure = plots.bars(
        "Feature importance",
        f"Most moved by {most} of all contributions; the table has all features.",
        [name for name, _, _ in shown],
        [plots.Bars("contribution", [contribution for _, contribution, _ in shown])],
        x="mean absolute contribution, log-odds",
    )
    return [
        html.note(
            f"Contributions to the predictions of {len(found.values):,} rows, in log-odds; without them a prediction is {found.base:.3f}."
        ),
        figure,
        html.table("Features", ("feature", "mean absolute contribution", "share"), ranked),
        *_examples(columns, found),
    ]


def _examples(columns: Arrays, found: Contributions) -> list[str]:
    probabilities = found.probabilities
    order = np.argsort(probabilities, kind="stable")
    places = dict.fromkeys(int(order[round(quantile * (len(order) - 1))]) for quantile in EXAMPLES)
    return [_example(row, float(probabilities[row]), columns, found) for row in places]


def _example(row: int, probability: float, columns: Arrays, found: Contributions) -> str:
    names = list(columns)
    strongest = np.argsort(-np.abs(found.values[row]), kind="stable")[:EXAMPLE_FEATURES]
    lines = [(names[place], _raw(columns[names[place]][row]), f"{found.values[row, place]:+.3f}") for place in strongest]
    return html.table(f"A row with a probability of {probability:.3f}", ("feature", "value", "contribution"), lines)


def _raw(value: object) -> str:
    if value is None or value != value:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
