"""The few series that count, out of a proxy's Prometheus text. Strict about those; the rest is skipped without being read.

Envoy creates a response class and the histogram with their first request, so a series may be absent; a version of weight 0 has none at all.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

_PREFIX: Final = "envoy_cluster_upstream_rq_"
_SAMPLE: Final = re.compile(r"(\w+)\{(.*)\} (\S+)(?: \d+)?")
_ANY: Final = re.compile(r"[a-zA-Z_:][\w:]*(?:\{.*\})? \S+(?: -?\d+)?")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class MalformedError(ValueError):
    """The text is not what a proxy publishes, or a counter has a value that no counter can have."""


def read_counters(text: str) -> dict[str, dict[str, float]]:
    """Return the counters of every cluster in a Prometheus text, by cluster name.

    The counters are `rq_1xx` … `rq_5xx`, `rq_timeout`, `latency_count` and, cumulative, `latency_le_<milliseconds>` (`latency_le_0.5`,
    `latency_le_250`; the infinite bucket is the count). MalformedError if a line is no sample or a value is not finite and at least 0.
    """
    counters: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if line.startswith(_PREFIX):
            for cluster, name, value in _sample(line):
                counters.setdefault(cluster, {})[name] = value
        elif line and not line.startswith("#") and not _ANY.fullmatch(line):
            raise MalformedError(f"the answer is not a proxy's Prometheus text: {line[:80]!r}")
    return counters


def _sample(line: str) -> Iterator[tuple[str, str, float]]:
    """Yield (cluster, counter, value) of a line, if it is one that counts."""
    match = _SAMPLE.fullmatch(line)
    if match is None:
        raise MalformedError(f"the line {line[:200]!r} is no sample")
    labels = {key: re.sub(r"\\(.)", r"\1", value) for key, value in _LABEL.findall(match[2])}
    name, cluster = _counter(match[1].removeprefix(_PREFIX), labels), labels.get("envoy_cluster_name")
    if name is not None and cluster is not None:
        yield cluster, name, _value(match[3], line)


def _counter(series: str, labels: Mapping[str, str]) -> str | None:
    match series:
        case "xx":
            return f"rq_{labels.get('envoy_response_code_class')}xx"
        case "timeout":
            return "rq_timeout"
        case "time_count":
            return "latency_count"
        case "time_bucket" if labels.get("le") != "+Inf":
            return f"latency_le_{labels.get('le')}"
    return None


def _value(text: str, line: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise MalformedError(f"a counter must be finite and at least 0: {line[:200]!r}")
    return value
