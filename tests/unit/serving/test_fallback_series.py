"""What the operator reads of the model server is what the model server writes."""

import re

from headgate_operator.metrics.presets import Version, fallback_queries
from headgate_serving.server import metrics


def test_the_preset_fallbacks_asks_for_series_that_are_there_before_the_first_fallback() -> None:
    queries = fallback_queries(Version(namespace="ml", isvc="flight-delay-5d1c93aa", cluster=""))
    written = {metrics._ANSWERS: "total", metrics._FALLBACKS: "bad"}
    for counter, part in written.items():
        (family,) = counter.collect()
        asked = re.search(r"\((headgate_\w+)\{", getattr(queries, part))
        assert asked is not None
        assert asked[1] == f"{family.name}_total"
        assert "reason" in counter._labelnames or part == "total"
