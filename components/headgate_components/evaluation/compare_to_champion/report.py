"""The comparison as sections of an HTML page."""

from headgate_components import html, plots
from headgate_components.evaluation.compare_to_champion.judgement import KEEP, Judgement, Measured, Rule


def sections(judgement: Judgement, measured: Measured | None, rule: Rule) -> list[str]:
    """The verdict with its reason, and what was measured."""
    verdict = html.verdict([judgement.reason]) if judgement.verdict == KEEP else html.verdict([]) + html.note(judgement.reason)
    if measured is None:
        return [verdict]
    rows = [
        (str(rule.metric), measured.champion, measured.challenger),
        ("median single row, ms", measured.champion_ms, measured.challenger_ms),
    ]
    bound = f"The improvement is at least {measured.lower_bound:+.4f} with {rule.confidence:.0%} confidence, on {measured.rows:,} rows."
    figure = plots.bars(
        str(rule.metric),
        f"The champion has {measured.champion:.4f}, the challenger {measured.challenger:.4f}. {bound}",
        ["champion", "challenger"],
        [plots.Bars(str(rule.metric), [measured.champion, measured.challenger])],
        x=str(rule.metric),
    )
    return [verdict, html.table("Measured", ("what", "champion", "challenger"), rows), html.note(bound), figure]
