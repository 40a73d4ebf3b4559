"""`headgate evidence`: a calculator for what the operator makes of counts, to check a verdict by hand or to get a feeling for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.cli.comparison import Counted, compare, is_open, joined, total
from headgate_operator.cli.counts import blocks_of_arguments, blocks_of_file
from headgate_operator.cli.options import share_option
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.view import console
from headgate_operator.stats.capital import log_e_value
from headgate_operator.stats.logarithms import grown, log_mean
from headgate_operator.stats.rollback import RollbackEvidence, alternatives, log_capped_factors, log_factors

_WIDE: Final = 140
"""From so many columns on there is room for the factor of every odds ratio; -o json always has them."""


@click.command()
@click.argument("counts", nargs=-1, metavar="[CANDIDATE STABLE]...")
@click.option("-f", "--file", "path", metavar="FILE", help="Read blocks from a CSV file instead, - for standard input.")
@click.option("--tolerate", type=click.FloatRange(1, 10), default=1.25, show_default=True, help="Odds ratio still tolerated.")
@click.option("--false-rollback-rate", default="1%", show_default=True, callback=share_option, help="Of the whole rollout.")
@click.option("--metrics", type=click.IntRange(1, 10), default=2, show_default=True, help="How many metrics share that rate.")
@click.option("--maximum", callback=share_option, help="Objective: largest bad share of a version that may be promoted.")
@click.option("--promotion-confidence", default="95%", show_default=True, callback=share_option, help="To promote with.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@click.pass_context
def evidence(ctx: click.Context, /, counts: tuple[str, ...], path: str | None, output: Format, **chosen: Any) -> None:
    """Calculate the evidence in blocks of requests, with the operator's own code.

    For each block of time give what the candidate and the stable version served, each as requests/bad: `headgate evidence 10/1 90/0 12/0
    88/1` is two blocks.

    A CSV file has one block per line, candidate,candidateBad,stable,stableBad, with or without this header. All blocks belong to one step.

    Evidence is the natural logarithm of an e-value. At its bound the candidate is rolled back. The probability that a version as
    good as stable ever gets there is at most --false-rollback-rate, however often you look. No block can multiply the e-value by more
    than three ("capped"), so that a single burst of errors is not a verdict.
    """
    if bool(counts) == bool(path):
        raise click.UsageError("give either counts, such as 10/1 90/0, or --file", ctx)
    settings = _settings(chosen)
    blocks = blocks_of_file(path) if path else blocks_of_arguments(counts)
    groups = joined(blocks)
    result = _Sheet.of(compare(settings, [total(group) for group in groups]), [len(group) for group in groups], chosen["tolerate"])
    if output is Format.TABLE:
        result.print()
    else:
        show(result.data(), output)


def _settings(chosen: dict[str, Any]) -> AnalysisSettings:
    """Return an analysis in which every metric counts the same; only the first is shown, the others share the rate."""
    one = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS, tolerate=chosen["tolerate"], maximum=chosen["maximum"])
    return AnalysisSettings(
        false_rollback_rate=chosen["false_rollback_rate"],
        promotion_confidence=chosen["promotion_confidence"],
        metrics=[one.model_copy(update={"name": f"errors-{number}"}) for number in range(1, chosen["metrics"] + 1)],
    )


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One block on its own, and where the comparison stands after it."""

    counted: Counted
    given: int
    """How many of the given blocks were joined in it."""
    factors: tuple[float, ...]
    """Natural logs of f(ψ), uncapped."""
    capped_factors: tuple[float, ...]
    """What counts of them."""

    @property
    def left_out(self) -> str:
        """Why the operator would not count it; empty if it would."""
        if is_open([self.counted.block]):
            return "not counted yet: it waits for more requests"
        return "" if self.counted.block.candidate_total else "not counted: no candidate request"

    @property
    def uncapped(self) -> float:
        return log_mean(self.factors)

    @property
    def capped(self) -> float:
        return log_mean(self.capped_factors)


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    rows: list[_Row]
    odds_ratios: tuple[float, ...]
    evidence_uncapped: float
    """The whole comparison as it would stand if no block were capped."""

    @classmethod
    def of(cls, counted: list[Counted], given: list[int], tolerate: float) -> "_Sheet":
        rows = [
            _Row(
                counted=one,
                given=joins,
                factors=log_factors(one.block, tolerate),
                capped_factors=log_capped_factors(one.block, tolerate),
            )
            for one, joins in zip(counted, given, strict=True)
        ]
        begun = RollbackEvidence.fresh(tolerate)
        wealth = begun.log_wealth
        for row in (row for row in rows if not row.left_out):
            wealth = grown(wealth, row.factors)
        uncapped = log_e_value(wealth, begun.started)
        return cls(rows=rows, odds_ratios=alternatives(tolerate), evidence_uncapped=uncapped)

    def data(self) -> dict[str, Any]:
        return {"oddsRatios": list(self.odds_ratios), "blocks": [_block_data(row) for row in self.rows], "total": self._total()}

    def _total(self) -> dict[str, Any]:
        last = self.rows[-1].counted
        metric, failing = last.metric, last.analysis.all_failing
        return {
            "candidate": {"requests": metric.total.candidate, "bad": metric.bad.candidate},
            "stable": {"requests": metric.total.stable, "bad": metric.bad.stable},
            "evidence": metric.evidence,
            "evidenceUncapped": self.evidence_uncapped,
            "bound": metric.bound,
            "promotionEvidence": metric.promotion_evidence,
            "promotionBound": metric.promotion_bound,
            "verdict": "AllFailing" if failing else metric.verdict.value,
            "message": failing.message if failing else metric.message,
            "requestsNeeded": metric.requests_needed,
        }

    def print(self) -> None:
        summed, screen = self._total(), console()
        ratios = self.odds_ratios if screen.width >= _WIDE else ()
        table = plain_table(
            "block", "candidate", "stable", *(f"ψ={ratio:g}" for ratio in ratios), "uncapped", "capped", "evidence", "promotion", "verdict"
        )
        for column in table.columns[:-1]:
            column.justify = "right"
        number = 0
        for row in self.rows:
            name = str(number + 1) if row.given == 1 else f"{number + 1}–{number + row.given}"
            number += row.given
            table.add_row(name, *_cells(row, factors=row.factors if ratios else ()))
        screen.print(table)
        screen.print()
        screen.print(
            f"evidence   {summed['evidence']:.4f} of {summed['bound']:.4f} to roll back; {summed['evidenceUncapped']:.4f} without the cap"
        )
        screen.print(f"promotion  {summed['promotionEvidence']:.4f} of {summed['promotionBound']:.4f}")
        screen.print(f"verdict    {summed['verdict']}: {summed['message']}")


def _block_data(row: _Row) -> dict[str, Any]:
    block, metric = row.counted.block, row.counted.metric
    return {
        "candidate": {"requests": block.candidate_total, "bad": block.candidate_bad},
        "stable": {"requests": block.stable_total, "bad": block.stable_bad},
        "joined": row.given,
        "counted": not row.left_out,
        "logFactors": list(row.factors),
        "logFactorsCapped": list(row.capped_factors),
        "uncapped": row.uncapped,
        "capped": row.capped,
        "evidence": metric.evidence,
        "promotionEvidence": metric.promotion_evidence,
        "verdict": metric.verdict.value,
    }


def _cells(row: _Row, *, factors: Sequence[float]) -> list[str]:
    block, metric = row.counted.block, row.counted.metric
    numbers = (*factors, row.uncapped, row.capped, metric.evidence, metric.promotion_evidence)
    return [
        f"{block.candidate_total}/{block.candidate_bad}",
        f"{block.stable_total}/{block.stable_bad}",
        *(f"{number:.4f}" for number in numbers),
        row.left_out or metric.verdict.value,
    ]
