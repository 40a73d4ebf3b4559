"""The fairness check as sections of an HTML page."""

from collections.abc import Sequence

from headgate_components import html, plots
from headgate_components.evaluation.fairness.rates import RATES, Comparison

_SHOWN = ("selection rate", "error rate")


def sections(comparisons: Sequence[Comparison], threshold: float, minimum_rows: int) -> list[str]:
    """A table and a figure for each column."""
    if not comparisons:
        return [html.note("No groups were compared.")]
    explained = f"1 is predicted from a probability of {threshold:g} on; groups of fewer than {minimum_rows} rows are not compared."
    return [html.note(explained), *(section for comparison in comparisons for section in _column(comparison))]


def _column(comparison: Comparison) -> list[str]:
    rows = [(group.name, group.rows, *(group.rates[rate] for rate in RATES)) for group in comparison.groups]
    gaps = [(rate, comparison.gap(rate)) for rate in RATES]
    apart = "; ".join(f"{rate} {gap.size:.3f} ({gap.most_group} against {gap.least_group})" for rate, gap in gaps if gap)
    table = html.table(f"Groups of {comparison.column}", ("group", "rows", *RATES), rows)
    if not apart:
        return [table, html.note("Fewer than two groups are large enough to compare.")]
    return [table, html.note(f"Largest differences: {apart}."), _figure(comparison, apart)]


def _figure(comparison: Comparison, apart: str) -> str:
    drawn = [plots.Bars(rate, [group.rates[rate] or 0.0 for group in comparison.compared]) for rate in _SHOWN]
    names = [group.name for group in comparison.compared]
    return plots.bars(f"Rates by {comparison.column}", f"Largest differences: {apart}.", names, drawn, x="share of the group's rows")
