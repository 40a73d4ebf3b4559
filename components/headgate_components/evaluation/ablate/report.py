"""The ablation as one HTML page."""

from collections.abc import Sequence

from headgate_components import html, plots
from headgate_components.evaluation.ablate.variants import Line

_WORDS = {"full": "all features", "without": "without {}", "only": "only {}", "baseline": "{}"}
_HEADER = ("model", "features", "ROC AUC", "PR AUC", "log loss", "more than the whole model", "±", "says")


def render(lines: Sequence[Line], left_out: Sequence[str], trees: int, rows: int) -> str:
    """The page: simpler models, and what each feature or group is worth."""
    full = lines[0]
    parts = [
        ("Simpler models", [line for line in lines if line.kind in ("full", "baseline")]),
        ("Only these features", [line for line in lines if line.kind == "only"]),
        ("Without", sorted((line for line in lines if line.kind == "without"), key=lambda line: -line.more_loss)),
    ]
    sections = [
        html.note(
            f"{rows:,} evaluation rows. Every boosted model has {trees} trees and the settings of the whole one, whose log loss is "
            f"{full.log_loss:.5f}. The interval (±, 95 %) takes rows for independent; rows that came together make it wider in truth."
        ),
        *_figure(parts[-1][1]),
        *(html.table(caption, _HEADER, [_cells(line) for line in chosen]) for caption, chosen in parts if chosen),
    ]
    if left_out:
        sections.append(html.table("No time was left for", ("model",), [(name,) for name in left_out]))
    return html.page("Ablation and baselines", sections)


def _figure(missing: Sequence[Line]) -> list[str]:
    if not missing:
        return []
    told = "; ".join(f"without {line.name} {line.more_loss:+.4f}" for line in missing[:5])
    names = [line.name for line in missing]
    return [
        plots.bars(
            "What the model loses without", told, names, [plots.Bars("log loss", [line.more_loss for line in missing])], x="more log loss"
        )
    ]


def _cells(line: Line) -> tuple[object, ...]:
    name = _WORDS[line.kind].format(line.name)
    return (
        name,
        line.features,
        line.roc_auc,
        line.pr_auc,
        f"{line.log_loss:.5f}",
        f"{line.more_loss:+.5f}",
        f"{line.margin:.5f}",
        _verdict(line),
    )


def _verdict(line: Line) -> str:
    if line.kind == "full":
        return ""
    if abs(line.more_loss) <= line.margin:
        return "no difference seen"
    return "worse" if line.more_loss > 0 else "better than the whole model"
