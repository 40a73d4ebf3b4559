"""The evaluation as sections of an HTML page."""

from collections.abc import Mapping, Sequence

from headgate_components import html, plots
from headgate_components.evaluation.evaluate.operating_point import OperatingPoint
from headgate_components.evaluation.evaluate.quality import Quality
from headgate_components.evaluation.evaluate.slices import Slice

_CORNERS = (0.0, 1.0)


def sections(quality: Quality, point: OperatingPoint, slices: Sequence[Slice], edge_cases: Mapping[str, str]) -> list[str]:
    """Curves, calibration, confusion, slices, edge cases."""
    bins = [(group.predicted, group.observed, group.rows) for group in quality.calibration]
    (true_negative, false_positive), (false_negative, true_positive) = point.confusion
    decisions = [("0", true_negative, false_positive), ("1", false_negative, true_positive)]
    return [
        html.heading("Curves"),
        _roc(quality, point),
        _precision_recall(quality, point),
        _calibration(quality),
        html.table("Calibration", ("predicted", "observed", "rows"), bins),
        html.table(f"Decisions at {point.threshold:.3f}", ("label", "predicted 0", "predicted 1"), decisions),
        *_slices(slices),
        html.table("Edge cases", ("row", "answer"), list(edge_cases.items())),
    ]


def _roc(quality: Quality, point: OperatingPoint) -> str:
    false_positive_rates, true_positive_rates, _ = quality.thresholds.roc()
    used = plots.Line("threshold used", [1 - point.specificity], [point.recall], marked=True)
    return plots.lines(
        "ROC",
        f"The area under the curve is {quality.roc_auc:.3f}; chance gives 0.5. At the threshold used, {point.threshold:.3f}, "
        f"{point.recall:.1%} of the rows with label 1 are found and {1 - point.specificity:.1%} of the others are taken for them.",
        [
            plots.Line("model", false_positive_rates, true_positive_rates),
            used,
            plots.Line("chance", _CORNERS, _CORNERS, dashed=True),
        ],
        x="false positive rate",
        y="true positive rate",
    )


def _precision_recall(quality: Quality, point: OperatingPoint) -> str:
    curve = quality.thresholds.thinned()
    return plots.lines(
        "Precision and recall",
        f"The average precision is {quality.pr_auc:.3f}; chance gives {quality.base_rate:.3f}. At the threshold used, "
        f"{point.threshold:.3f}, precision is {point.precision:.3f} and recall {point.recall:.3f}.",
        [
            plots.Line("model", curve.recall.tolist(), curve.precision.tolist()),
            plots.Line("threshold used", [point.recall], [point.precision], marked=True),
            plots.Line("chance", _CORNERS, (quality.base_rate, quality.base_rate), dashed=True),
        ],
        x="recall",
        y="precision",
    )


def _calibration(quality: Quality) -> str:
    return plots.lines(
        "Predicted and observed",
        f"Over bins of a tenth, predicted and observed are {quality.calibration_error:.3f} apart on average; the next table has "
        "the numbers.",
        [
            plots.Line(
                "model",
                [group.predicted for group in quality.calibration],
                [group.observed for group in quality.calibration],
                marked=True,
            ),
            plots.Line("perfect", _CORNERS, _CORNERS, dashed=True),
        ],
        x="predicted probability",
        y="observed share",
    )


def _slices(slices: Sequence[Slice]) -> list[str]:
    if not slices:
        return []
    judged = [(f"{part.column}: {part.group}", part.roc_auc) for part in slices if part.roc_auc is not None]
    header = ("column", "value", "rows", "ROC AUC", "Brier", "observed", "predicted")
    rows = [(part.column, part.group, part.rows, part.roc_auc, part.brier, part.base_rate, part.predicted) for part in slices]
    table = html.table("Slices", header, rows)
    if not judged:
        return [table]
    name, least = min(judged, key=lambda part: part[1])
    figure = plots.bars(
        "ROC AUC of slices",
        f"The worst of {len(judged)} slices is {name}, with {least:.3f}; the table has all of them.",
        [name for name, _ in judged],
        [plots.Bars("ROC AUC", [area for _, area in judged])],
        x="ROC AUC",
    )
    return [table, figure]
