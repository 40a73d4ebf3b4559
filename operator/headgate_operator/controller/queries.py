"""One reading from Prometheus: what is asked, all of it at one timestamp, and what the answers are to the analysis."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from headgate_operator.api.spec import Metric, MetricPreset, PrometheusProvider, PrometheusQueries
from headgate_operator.controller.slots import Values, slot_versions
from headgate_operator.metrics.answers import Series
from headgate_operator.metrics.exposition import MalformedError
from headgate_operator.metrics.placeholders import filled
from headgate_operator.metrics.presets import PRESETS, Version, fallback_queries
from headgate_operator.metrics.prometheus import Prometheus, aligned
from headgate_operator.metrics.promql import range_selector
from headgate_operator.metrics.reading import ProxyReading, UnreadableError
from headgate_operator.metrics.sources import from_queries, from_targets
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

_WINDOW: Final = 3
"""Scrape intervals that samples of a preset are looked for in: one scrape may fail."""

_PARTS: Final = ("bad", "total")


@dataclass(frozen=True)
class Question:
    """What one query is for."""

    metric: str | None
    """None: for the presets."""
    part: str | int
    """`bad` or `total`, or the number of a preset's family."""
    slot: int


Queries = Mapping[Question, str]
Answers = Mapping[Question, list[Series] | MalformedError]


def questions(provider: PrometheusProvider, metrics: Iterable[Metric], slots: Mapping[int, Values], *, presets: bool) -> Queries:
    """Return every query of a reading. `presets` says whether the gateway's metrics are read from here too.

    ValueError, with a sentence, if a query of the manifest has a placeholder that nobody knows.
    """
    metrics, versions, queries = list(metrics), slot_versions(slots), dict[Question, str]()
    if presets and any(metric.of_the_gateway for metric in metrics):
        for slot, version in versions.items():
            for number, family in enumerate(PRESETS[provider.series].families):
                selector = range_selector(family.names, family.matchers(version), _WINDOW * provider.scrape_interval)
                queries[Question(None, number, slot)] = selector
    for metric in metrics:
        for part in _PARTS if not metric.of_the_gateway else ():
            for slot, values in slots.items():
                written = getattr(_own_queries(metric, versions[slot]), part)
                queries[Question(metric.name, part, slot)] = filled(written, values, what=f"query `{part}`")
    return queries


def _own_queries(metric: Metric, version: Version) -> PrometheusQueries:
    if metric.preset is MetricPreset.FALLBACKS:
        return fallback_queries(version)
    assert metric.prometheus is not None, f"rule: {metric.name} has neither a preset nor queries"
    return metric.prometheus


async def ask(client: Prometheus, provider: PrometheusProvider, metrics: Iterable[Metric], queries: Queries, now: datetime) -> Reading:
    """Put all questions at one aligned timestamp. Whatever goes wrong is the error of the metrics concerned."""
    metrics, at = list(metrics), aligned(now, provider.scrape_interval)
    try:
        found = await client.query(provider.address, list(queries.values()), at)
    except UnreadableError as error:
        return Reading(error=str(error), renewal=provider.scrape_interval)
    answers = dict(zip(queries, found, strict=True))
    own = {metric.name: _own(provider, metric, answers) for metric in metrics if not metric.of_the_gateway}
    return _common(provider, answers, own | _impossible(provider, metrics, answers))


def _common(provider: PrometheusProvider, answers: Answers, own: Mapping[str, Reading]) -> Reading:
    """Read the presets' series."""
    families, renewal = PRESETS[provider.series].families, provider.scrape_interval
    asked = {question: answer for question, answer in answers.items() if question.metric is None}
    try:
        by_slot = {
            slot: [(families[int(question.part)], _sound(answer)) for question, answer in asked.items() if question.slot == slot]
            for slot in sorted({question.slot for question in asked})
        }
        sources = from_targets(by_slot)
    except MalformedError as error:
        return Reading(error=f"{provider.address}: {error}", renewal=renewal, own=own)
    gap = f"{provider.address} has no samples of {_listed(provider)} for these versions; are they scraped, and every scrapeInterval?"
    return Reading(scrapes=scrapes(sources), gap=gap, renewal=renewal, own=own)


def _own(provider: PrometheusProvider, metric: Metric, answers: Answers) -> Reading:
    """Read one metric's own queries."""
    asked = {question: answer for question, answer in answers.items() if question.metric == metric.name}
    try:
        by_slot = {
            slot: (_sound(asked[Question(metric.name, "bad", slot)]), _sound(asked[Question(metric.name, "total", slot)]))
            for slot in sorted({question.slot for question in asked})
        }
        sources = from_queries(by_slot)
    except MalformedError as error:
        return Reading(error=f"{provider.address}: {error}", renewal=provider.scrape_interval)
    gap = f"{provider.address} has no series for these queries"
    return Reading(scrapes=scrapes(sources), gap=gap, renewal=provider.scrape_interval)


def _impossible(provider: PrometheusProvider, metrics: list[Metric], answers: Answers) -> dict[str, Reading]:
    """Say of which metrics these series know nothing."""
    error = PRESETS[provider.series].no_errors
    if error is None or not any(question.metric is None for question in answers):
        return {}
    return {metric.name: Reading(error=error) for metric in metrics if metric.preset is MetricPreset.GATEWAY_ERRORS}


def _sound(answer: list[Series] | MalformedError) -> list[Series]:
    if isinstance(answer, MalformedError):
        raise answer
    return answer


def _listed(provider: PrometheusProvider) -> str:
    return ", ".join(name for family in PRESETS[provider.series].families for name in family.names)


def scrapes(sources: Iterable[ProxyReading]) -> tuple[Scrape, ...]:
    """Turn a provider's reading into the snapshot's: the two packages do not know each other."""
    return tuple(
        Scrape(
            proxy=source.proxy,
            at=source.at,
            slots=tuple(SlotCounters(slot=reading.slot, counters=reading.counters) for reading in source.slots),
        )
        for source in sources
    )
