"""The evaluation as one HTML page."""

from collections.abc import Mapping, Sequence

from headgate_components import html
from headgate_components.evaluation.evaluate.quality import THRESHOLD, Quality

_DIAGONAL = ((0.0, 0.0), (1.0, 1.0))


def render(quality: Quality, metrics: Mapping[str, float], problems: Sequence[str], edge_cases: Mapping[str, str]) -> str:
    """The page: verdict, metrics, curves, calibration, confusion, edge cases."""
    base_rate = ((0.0, quality.base_rate), (1.0, quality.base_rate))
    bins = [(group.predicted, group.observed, group.rows) for group in quality.calibration]
    reliability = [(group.predicted, group.observed) for group in quality.calibration]
    (true_negative, false_positive), (false_negative, true_positive) = quality.confusion
    return html.page(
        "Model evaluation",
        [
            html.verdict(problems),
            html.table("Metrics", ("metric", "value"), list(metrics.items())),
            "<h2>Curves</h2>",
            html.unit_chart("ROC", "false positive rate", "true positive rate", quality.roc.points, _DIAGONAL),
            html.unit_chart("Precision and recall", "recall", "precision", quality.precision_recall.points, base_rate),
            html.unit_chart("Calibration", "predicted", "observed", reliability, _DIAGONAL),
            html.table("Calibration", ("predicted", "observed", "rows"), bins),
            html.table(
                f"Decisions at {THRESHOLD}",
                ("label", "predicted 0", "predicted 1"),
                [("0", true_negative, false_positive), ("1", false_negative, true_positive)],
            ),
            html.table("Edge cases", ("row", "answer"), list(edge_cases.items())),
        ],
    )
