"""What the server counts, for Prometheus at /metrics. Every series has the model's name and version.

KServe's own histograms of prediction times are kept up as well: presets and dashboards made for its servers read them.
"""

from collections.abc import Mapping

from kserve.metrics import EXPLAIN_HIST_TIME, PREDICT_HIST_TIME
from prometheus_client import Counter, Gauge, Histogram

from headgate_serving.model.features import FeatureSet, Imputed

_MODEL = ("model_name", "model_version")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

_REQUESTS = Counter("headgate_serving_requests", "Requests by protocol and HTTP code.", (*_MODEL, "protocol", "code"))
_SECONDS_OF_REQUESTS = Histogram(
    "headgate_serving_request_seconds", "Time from reading a request to answering it.", (*_MODEL, "protocol"), buckets=_SECONDS
)
_ANSWERS = Counter("headgate_serving_answers", "Requests answered with predictions, including fallbacks.", _MODEL)
_FALLBACKS = Counter(
    "headgate_serving_fallbacks", "Requests answered with the fallback, because the model was late or failed.", (*_MODEL, "reason")
)
_PREDICTIONS = Counter("headgate_serving_predictions", "Rows predicted, by the model or from the cache.", _MODEL)
_EXPLANATIONS = Counter("headgate_serving_explanations", "Rows explained.", _MODEL)
_IMPUTED = Counter(
    "headgate_serving_imputed_values", "Values that were missing or belonged to an unknown category.", (*_MODEL, "feature", "reason")
)
_UNREAD = Counter("headgate_serving_unread_values", "Values sent for features that the model does not have.", _MODEL)
_OUTSIDE = Counter("headgate_serving_out_of_range_values", "Values outside the training data's range.", (*_MODEL, "feature"))
_CACHE = Counter("headgate_serving_cache_lookups", "Requests looked up in the prediction cache.", (*_MODEL, "result"))
_BATCHES = Histogram("headgate_serving_batch_rows", "Rows predicted in one call of the model.", _MODEL, buckets=_ROWS)
_UNDER_WAY = Gauge("headgate_serving_requests_under_way", "Requests being read or answered.", _MODEL)
_PARITY = Gauge("headgate_serving_parity_difference", "Largest difference from the golden set, measured at startup.", _MODEL)

REASONS = ("late", "failed")
"""Why a fallback is answered."""


class Meter:
    """The series of one model version; those that queries divide are there from the start, with zero."""

    def __init__(self, model_name: str, version: str, features: FeatureSet) -> None:
        self._labels = (model_name, version)
        self._requests: dict[tuple[str, int], Counter] = {}
        self._seconds = {protocol: _SECONDS_OF_REQUESTS.labels(*self._labels, protocol) for protocol in ("v1", "v2", "grpc")}
        self._answers, self._predictions = _ANSWERS.labels(*self._labels), _PREDICTIONS.labels(*self._labels)
        self._explanations, self._unread = _EXPLANATIONS.labels(*self._labels), _UNREAD.labels(*self._labels)
        self._fallbacks = {reason: _FALLBACKS.labels(*self._labels, reason) for reason in REASONS}
        self._imputed = {
            (name, reason): _IMPUTED.labels(*self._labels, name, reason) for name in features.names for reason in ("missing", "unknown")
        }
        self._cache = {hit: _CACHE.labels(*self._labels, "hit" if hit else "miss") for hit in (True, False)}
        self.batch_rows = _BATCHES.labels(*self._labels)
        self.under_way = _UNDER_WAY.labels(*self._labels)
        self.parity = _PARITY.labels(*self._labels)
        self.predict_seconds = PREDICT_HIST_TIME.labels(model_name)
        self.explain_seconds = EXPLAIN_HIST_TIME.labels(model_name)

    def request(self, protocol: str, code: int, seconds: float) -> None:
        """A request was answered, or refused."""
        counter = self._requests.get((protocol, code))
        if counter is None:
            counter = self._requests[protocol, code] = _REQUESTS.labels(*self._labels, protocol, str(code))
        counter.inc()
        self._seconds[protocol].observe(seconds)

    def answer(self, rows: int, fallback: str | None) -> None:
        """Predictions were made, or a fallback took their place."""
        self._answers.inc()
        if fallback is None:
            self._predictions.inc(rows)
        else:
            self._fallbacks[fallback].inc()

    def explanation(self, rows: int) -> None:
        """Rows were explained."""
        self._explanations.inc(rows)

    def imputed(self, found: Imputed) -> None:
        """Values were filled in."""
        for reason, counts in (("missing", found.missing), ("unknown", found.unknown)):
            for name, count in counts.items():
                self._imputed[name, reason].inc(count)

    def unread(self, count: int) -> None:
        """A request carried values the model does not read."""
        if count:
            self._unread.inc(count)

    def outside(self, counts: Mapping[str, int]) -> None:
        """Values lay outside of their ranges."""
        for name, count in counts.items():
            _OUTSIDE.labels(*self._labels, name).inc(count)

    def looked_up(self, *, hit: bool) -> None:
        """The cache was asked."""
        self._cache[hit].inc()
