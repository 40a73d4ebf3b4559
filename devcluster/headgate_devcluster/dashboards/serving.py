"""Headgate's model server: what it answers, how fast, and what it had to make up for."""

from typing import Final

from headgate_devcluster.dashboards.panel import Dashboard, Panel, Query, Row, Unit, View
from headgate_devcluster.dashboards.promql import NAME, OBJECT, latest, quantile, rate, share, total

_BY: Final = ("namespace", "name", "model_version")
_VERSION: Final = f"{NAME} {{{{model_version}}}}"


def _rate(series: str, *labels: str, matchers: str = "") -> str:
    """Return the rate of a series by version and other labels."""
    return total(rate(series, ",".join(filter(None, (OBJECT, matchers)))), *_BY, *labels)


def _of_requests(matchers: str) -> str:
    """Return the share of all requests that are like this."""
    return share(_rate("headgate_serving_requests_total", matchers=matchers), _rate("headgate_serving_requests_total"))


def _by_feature(series: str) -> str:
    """Return values of each feature as a share of the rows that were predicted."""
    rows = _rate("headgate_serving_predictions_total")
    return f"{_rate(series, 'feature')} / on (namespace, name, model_version) group_left () ({rows} > 0)"


_REQUESTS: Final = Row(
    "Requests",
    (
        Panel(
            title="Requests",
            description="By version and code, as the server answered them: what never reached it is on the page of rollouts.",
            queries=(Query(_rate("headgate_serving_requests_total", "code"), f"{_VERSION} {{{{code}}}}"),),
            view=View.STACK,
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Refused or failed",
            description="4xx are requests the model's schema does not allow, 5xx its own faults.",
            queries=(
                Query(_of_requests('code=~"4..",code!="429"'), f"{_VERSION} 4xx"),
                Query(_of_requests('code=~"5.."'), f"{_VERSION} 5xx"),
            ),
            unit=Unit.SHARE,
            runbook="alert-serving-errors",
        ),
        Panel(
            title="Turned away (429)",
            description="More were under way than --max_concurrency allows: more replicas, or a larger bound.",
            queries=(Query(_of_requests('code="429"'), _VERSION),),
            unit=Unit.SHARE,
            limit=0.01,
            runbook="alert-serving-overloaded",
        ),
        Panel(
            title="Latency",
            description="From a read request to its answer, in the server alone.",
            queries=tuple(
                Query(quantile(q, "headgate_serving_request_seconds", OBJECT, *_BY), f"{_VERSION} {word}")
                for q, word in ((0.5, "median"), (0.95, "p95"), (0.99, "p99"))
            ),
            unit=Unit.SECONDS,
            runbook="alert-serving-slow",
        ),
        Panel(
            title="Under way",
            description="Requests that are being read or answered, in all replicas.",
            queries=(Query(f"sum by (namespace, name, model_version) (headgate_serving_requests_under_way{{{OBJECT}}})", _VERSION),),
        ),
        Panel(
            title="Rows in one call of the model",
            description="Small requests that are there at the same moment share a call.",
            queries=(Query(share(_rate("headgate_serving_batch_rows_sum"), _rate("headgate_serving_batch_rows_count")), _VERSION),),
        ),
    ),
)

_INPUTS: Final = Row(
    "What the model was given",
    (
        Panel(
            title="Filled in, by feature",
            description="Missing values and unknown categories, as a share of the rows. A jump is a broken client or a broken upstream.",
            queries=(Query(_by_feature("headgate_serving_imputed_values_total"), f"{_VERSION} {{{{feature}}}}"),),
            unit=Unit.SHARE,
            runbook="alert-imputation-jump",
        ),
        Panel(
            title="Outside of the training range, by feature",
            description="Only with --range_guard.",
            queries=(Query(_by_feature("headgate_serving_out_of_range_values_total"), f"{_VERSION} {{{{feature}}}}"),),
            unit=Unit.SHARE,
        ),
        Panel(
            title="Not read",
            description="Values of features that the model does not know: clients send more than it takes.",
            queries=(Query(_rate("headgate_serving_unread_values_total"), _VERSION),),
            unit=Unit.PER_SECOND,
        ),
    ),
)

_ANSWERS: Final = Row(
    "Answers",
    (
        Panel(
            title="Fallbacks",
            description="Answers that took the model's place because it was late or failed: HTTP 200 that hides a fault.",
            queries=(
                Query(
                    f"{_rate('headgate_serving_fallbacks_total', 'reason')} / on (namespace, name, model_version) group_left () "
                    f"({_rate('headgate_serving_answers_total')} > 0)",
                    f"{_VERSION} {{{{reason}}}}",
                ),
            ),
            unit=Unit.SHARE,
            limit=0.01,
            runbook="alert-fallbacks",
        ),
        Panel(
            title="From the cache",
            description="Only with --cache_ttl.",
            queries=(
                Query(
                    share(
                        _rate("headgate_serving_cache_lookups_total", matchers='result="hit"'),
                        _rate("headgate_serving_cache_lookups_total"),
                    ),
                    _VERSION,
                ),
            ),
            unit=Unit.SHARE,
        ),
        Panel(
            title="Parity at the start",
            description="Largest difference to the golden set. It was within the tolerance, or the server would not serve.",
            queries=(Query(latest("headgate_serving_parity_difference", "model_version"), _VERSION),),
            runbook="paritymismatch",
        ),
        Panel(
            title="Rows predicted and explained",
            description="Rows, not requests.",
            queries=(
                Query(_rate("headgate_serving_predictions_total"), f"{_VERSION} predicted"),
                Query(_rate("headgate_serving_explanations_total"), f"{_VERSION} explained"),
            ),
            unit=Unit.PER_SECOND,
            width=12,
        ),
        Panel(
            title="KServe's own time of a prediction",
            description="Mean, from the histogram that every server of KServe keeps: also for other runtimes.",
            queries=(
                Query(
                    share(
                        total(rate("request_predict_seconds_sum", OBJECT), "namespace", "name", "model_name"),
                        total(rate("request_predict_seconds_count", OBJECT), "namespace", "name", "model_name"),
                    ),
                    f"{NAME} {{{{model_name}}}}",
                ),
            ),
            unit=Unit.SECONDS,
            width=12,
        ),
    ),
)

SERVING: Final = Dashboard(
    uid="headgate-serving",
    title="Headgate / Serving",
    description="What model servers answer, how fast, and what they had to make up for.",
    page="serving.md",
    rows=(_REQUESTS, _INPUTS, _ANSWERS),
)
