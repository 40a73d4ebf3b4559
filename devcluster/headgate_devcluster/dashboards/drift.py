"""What the drift monitor sees: inputs, predictions, labels, and whether it keeps up."""

from typing import Final

from headgate_devcluster.dashboards.panel import Colour, Dashboard, Panel, Query, Row, State, Unit, View
from headgate_devcluster.dashboards.promql import WATCHED, rate, share, total

_SIGNALS: Final = {0: State("Clean", Colour.GOOD), 1: State("Drift", Colour.WARNING), 2: State("Severe", Colour.BAD)}
_VERSION: Final = "{{namespace}}/{{deployment}} {{version}}"
_HERE: Final = 'namespace=~"$namespace"'
_EVENTS: Final = rate("headgate_monitor_events_total", _HERE)
_DROPPED: Final = rate("headgate_monitor_events_total", f'{_HERE},result="dropped"')
_MALFORMED: Final = rate("headgate_monitor_events_total", f'{_HERE},result="malformed"')


def _of(series: str, *labels: str, matchers: str = "") -> str:
    """Return a monitor's gauge by version and other labels."""
    selector = ",".join(filter(None, (WATCHED, matchers)))
    return f"max by ({', '.join(('namespace', 'deployment', 'version', *labels))}) ({series}{{{selector}}})"


_VERDICTS: Final = Row(
    "Verdicts",
    (
        Panel(
            title="Signals",
            description="By comparison. A gap is Unknown: too few rows, or nothing to compare with. It is never Clean.",
            queries=(Query(_of("headgate_monitor_signal", "comparison"), f"{_VERSION} {{{{comparison}}}}"),),
            view=View.STATES,
            states=_SIGNALS,
            width=24,
            runbook="worldchanged",
        ),
        Panel(
            title="Distance of features from the reference",
            description="Of the ten that moved most in the last window. Each has a floor of its own: GET /v1/drift/NAME of the monitor.",
            queries=(Query(_of("headgate_monitor_distance", "feature"), f"{_VERSION} {{{{feature}}}}"),),
            width=12,
            runbook="worldchanged",
        ),
        Panel(
            title="Distance of predictions from the evaluation's",
            description="Only of versions whose reference holds predictions.",
            queries=(Query(_of("headgate_monitor_output_distance"), _VERSION),),
            width=12,
            runbook="predictionsmoved",
        ),
        Panel(
            title="Rows of the last window",
            description="Below drift.window.minimumRows nothing is said.",
            queries=(Query(_of("headgate_monitor_window_rows"), _VERSION),),
        ),
        Panel(
            title="Since the last window ended",
            description="Much longer than drift.window.duration: no requests arrive, or none of the versions that are asked about.",
            queries=(Query(f"time() - {_of('headgate_monitor_window_timestamp_seconds')}", _VERSION),),
            unit=Unit.SECONDS,
            runbook="monitorunavailable",
        ),
        Panel(
            title="Windows, in the time shown",
            description="That ended.",
            queries=(
                Query(
                    f"sum by (namespace, deployment) (increase(headgate_monitor_windows_total{{{WATCHED}}}[$__range]))",
                    "{{namespace}}/{{deployment}}",
                ),
            ),
            view=View.NUMBER,
        ),
    ),
)

_LABELS: Final = Row(
    "Labels",
    (
        Panel(
            title="Coverage",
            description="Share of the compared predictions that have labels. Ten points between two versions, and nothing is compared.",
            queries=(Query(_of("headgate_monitor_label_coverage"), _VERSION),),
            unit=Unit.SHARE,
            maximum=1,
            runbook="labelsuneven",
        ),
        Panel(
            title="From a prediction to its label",
            description="Mean. groundTruth.horizon should be longer.",
            queries=(Query(_of("headgate_monitor_label_lag_seconds"), _VERSION),),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Labels by what became of them",
            description="unknown: no such prediction within the horizon. malformed: see the answer that their sender got.",
            queries=(Query(total(rate("headgate_monitor_labels_total", _HERE), "result"), "{{result}}"),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Loss",
            description="Mean, of the predictions that were compared: the lower the better.",
            queries=(Query(_of("headgate_monitor_loss", "metric"), f"{_VERSION} {{{{metric}}}}"),),
            width=12,
            runbook="groundtruthworse",
        ),
        Panel(
            title="Skill of the version that serves",
            description="1 is a prophet, 0 knows the base rate and nothing else. At promotion, and over the last 28 days.",
            queries=(Query(_of("headgate_monitor_skill", "period"), f"{_VERSION} {{{{period}}}}"),),
            width=12,
            runbook="skilldropped",
        ),
    ),
)

_MONITOR: Final = Row(
    "Does it keep up",
    (
        Panel(
            title="Events by what became of them",
            description="dropped: too much at once. malformed: not understood. alone: an answer without its question.",
            queries=(Query(total(_EVENTS, "result"), "{{result}}"),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Not understood",
            description="Share of all events, by reason.",
            queries=(
                Query(
                    f"{total(_MALFORMED, 'reason')} / ignoring (reason) group_left () ({total(_EVENTS)} > 0)",
                    "{{reason}}",
                ),
            ),
            unit=Unit.SHARE,
            limit=0.1,
            runbook="alert-monitor-malformed",
        ),
        Panel(
            title="Kept under the present load",
            description="Share of the ids. Below 1 verdicts are made of a sample.",
            queries=(Query(f"min by (namespace) (headgate_monitor_kept_share{{{_HERE}}})", "{{namespace}}"),),
            unit=Unit.SHARE,
            maximum=1,
            runbook="alert-monitor-shedding",
        ),
        Panel(
            title="Waiting",
            description="To be read, and for their other half.",
            queries=(
                Query(f"sum by (namespace) (headgate_monitor_queue_events{{{_HERE}}})", "{{namespace}} to be read"),
                Query(f"sum by (namespace) (headgate_monitor_waiting_events{{{_HERE}}})", "{{namespace}} for their other half"),
            ),
            runbook="alert-monitor-shedding",
        ),
        Panel(
            title="Dropped",
            description="Share of all events.",
            queries=(Query(share(total(_DROPPED, "namespace"), total(_EVENTS, "namespace")), "{{namespace}}"),),
            unit=Unit.SHARE,
            runbook="alert-monitor-shedding",
        ),
        Panel(
            title="Predictions that wait for labels",
            description="At most; beyond --predictions a sample is kept.",
            queries=(Query(f"sum by (namespace) (headgate_monitor_kept_predictions{{{_HERE}}})", "{{namespace}}"),),
        ),
    ),
)

DRIFT: Final = Dashboard(
    uid="headgate-drift",
    title="Headgate / Drift",
    description="What the drift monitor sees, and whether it keeps up.",
    page="drift.md",
    rows=(_VERDICTS, _LABELS, _MONITOR),
)
