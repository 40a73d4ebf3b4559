"""How far rows have moved from what a model was trained on, window by window, as the monitor will see them."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from headgate_components import html, tables
from headgate_components.step import StepError
from headgate_monitor.detectors import DriftError, Reference, Scorer, WindowScore, read_reference

ALPHA = 0.01
"""The chance of a false alarm of a window, over all features."""

_HEADER = ("feature", "median distance", "floor", "windows that alarm", "severe", "excluded")


@dataclass(frozen=True)
class Drift:
    """What was found."""

    windows: int
    severe_share: dict[str, float]
    """Share of the windows in which a feature drifted severely; only features that did."""

    problems: tuple[str, ...]


def score_drift(rows: Path, reference_folder: Path, report: Path, *, maximum_share: float) -> Drift:
    """Compares the rows, which are in time order, and writes the report whatever comes of it.

    Args:
        rows: the table.
        reference_folder: the drift reference of the model.
        report: the HTML file to write.
        maximum_share: the largest share of windows in which a feature may drift severely; 1 only reports.

    Raises:
        StepError: the share is none, there is no reference, or the rows do not have its features or fill no window.
    """
    if not 0 <= maximum_share <= 1:
        raise StepError(f"maximum_share is {maximum_share}; allowed are 0 to 1, which only reports")
    try:
        reference = read_reference(reference_folder)
        scores = _windows(rows, reference)
    except DriftError as error:
        raise StepError(f"drift cannot be measured: {error}") from error
    severe = Counter(feature.name for score in scores for feature in score.features if feature.severe)
    shares = {name: count / len(scores) for name, count in severe.items()}
    problems = tuple(
        f"'{name}' drifted severely in {share:.0%} of {len(scores)} windows, allowed is {maximum_share:.0%}"
        for name, share in sorted(shares.items())
        if share > maximum_share
    )
    html.write(report, "Drift against the reference", _sections(reference, scores, severe, problems))
    return Drift(len(scores), shares, problems)


def _windows(rows: Path, reference: Reference) -> list[WindowScore]:
    table = tables.read(rows)
    columns = tables.arrays(table, [feature.name for feature in reference.features])
    encoded = reference.encode(columns)  # type: ignore[arg-type]  # arrays are sequences in all that matters here
    length = reference.window_rows
    if len(encoded) < length:
        raise StepError(f"{len(encoded)} rows fill no window of {length}, the length that the drift reference was calibrated for")
    scorer = Scorer(reference, alpha=ALPHA)
    return [scorer.score_encoded(encoded[start : start + length]) for start in range(0, len(encoded) - length + 1, length)]


def _sections(reference: Reference, scores: list[WindowScore], severe: Counter[str], problems: tuple[str, ...]) -> list[str]:
    distances: dict[str, list[float]] = defaultdict(list)
    alarms: Counter[str] = Counter()
    for score in scores:
        for feature in score.features:
            distances[feature.name].append(feature.distance)
            alarms[feature.name] += feature.alarm
    table = [
        (known.name, median(distances[known.name]), known.floor, alarms[known.name], severe[known.name], "yes" if known.excluded else "")
        for known in sorted(reference.features, key=lambda known: -median(distances[known.name]))
    ]
    windows = f"{len(scores):,} windows of {reference.window_rows:,} rows, in order of time"
    told = html.note(f"{windows}, against {reference.fitted_rows:,} training rows")
    return [html.verdict(problems), told, html.table("Features", _HEADER, table)]
