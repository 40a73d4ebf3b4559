"""From series to sources: what was counted together stays together, what was counted apart stays apart.

A source is a scraped process, or one label set of a query. Its counters come from one scrape: a series that the newest scrape lacks has
disappeared, whatever older samples say. The reset of one source is then seen in its own numbers only.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from headgate_operator.metrics.answers import Series
from headgate_operator.metrics.exposition import MalformedError
from headgate_operator.metrics.presets import TARGET_LABELS, Family
from headgate_operator.metrics.reading import ProxyReading, SlotReading

MOST_SOURCES: Final = 64
"""More would make the status, where baselines are kept, too large for an API server."""

_COPIES: Final = ("job", "prometheus", "prometheus_replica", "replica", "__replica__")
"""Labels that tell copies of the same series apart: a target scraped by two jobs, or by two servers whose answers were not merged."""

_LONGEST_NAME: Final = 120

Found = dict[str, dict[int, tuple[datetime, dict[str, float]]]]
"""By source and slot: when, and counters."""


def from_targets(answers: Mapping[int, Iterable[tuple[Family, Iterable[Series]]]]) -> tuple[ProxyReading, ...]:
    """Sort the series of both slots by the process that was scraped. MalformedError if there are too many."""
    found: Found = {}
    for slot, families in answers.items():
        for family, series in families:
            for source, copy in _one_copy_each(series).items():
                at, counters = _of_newest_scrape(family, copy)
                before = found.setdefault(source, {}).get(slot)
                found[source][slot] = (at, counters) if before is None else (max(at, before[0]), before[1] | counters)
    return _readings(found)


def from_queries(slot_answers: Mapping[int, tuple[list[Series], list[Series]]]) -> tuple[ProxyReading, ...]:
    """Pair the series of `(bad, total)` by equal labels. MalformedError with a sentence if they are no counts that belong together."""
    found: Found = {}
    for slot, (bad, total) in slot_answers.items():
        bad_by, total_by = _by_labels(bad), _by_labels(total)
        for labels, whole in total_by.items():
            part = bad_by.pop(labels, None)
            if part is None:
                raise MalformedError(
                    f"`total` has a series {labels} and `bad` has none with the same labels; a counter that is not there before its "
                    "first failure can be written as: <bad> or 0 * <total>"
                )
            found.setdefault(labels, {})[slot] = (whole.at, {"bad": _count(part), "total": _count(whole)})
            if part.value > whole.value:
                raise MalformedError(f"of the series {labels}, `bad` is {part.value:g} and `total` {whole.value:g}: a part above the whole")
        if bad_by:
            raise MalformedError(f"`bad` has a series {next(iter(bad_by))} and `total` has none with the same labels")
    return _readings(found)


def _one_copy_each(series: Iterable[Series]) -> dict[str, list[Series]]:
    """Return the series by target; of a target that is there in several copies only one: counted twice, chance looks like evidence."""
    targets: dict[str, dict[tuple[str, ...], list[Series]]] = {}
    for one in series:
        copy = tuple(one.labels.get(label, "") for label in _COPIES)
        targets.setdefault(_target(one.labels), {}).setdefault(copy, []).append(one)
    return {target: copies[min(copies)] for target, copies in targets.items()}


def _target(labels: Mapping[str, str]) -> str:
    return _name({label: labels[label] for label in TARGET_LABELS if label in labels})


def _of_newest_scrape(family: Family, series: list[Series]) -> tuple[datetime, dict[str, float]]:
    newest = max(one.at for one in series)
    counters: dict[str, float] = {}
    for one in series:
        for name in family.counters(one.labels) if one.at == newest else ():
            counters[name] = counters.get(name, 0) + one.value
    return newest, counters


def _by_labels(series: list[Series]) -> dict[str, Series]:
    return {_name({label: value for label, value in one.labels.items() if label != "__name__"}): one for one in series}


def _count(series: Series) -> float:
    if series.value != round(series.value):
        raise MalformedError(f"{series.value:g} is no count; write counters as they are, without rate() or increase()")
    return series.value


def _name(labels: Mapping[str, str]) -> str:
    """Write labels; `{}` for none. What is too long is cut, and still differs from any other."""
    text = "{" + ",".join(f"{label}={value}" for label, value in sorted(labels.items())) + "}"
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:_LONGEST_NAME]}…#{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _readings(found: Found) -> tuple[ProxyReading, ...]:
    """A source that counted for one version alone, as a pod does, counted nothing for the other, if that one is known at all."""
    if len(found) > MOST_SOURCES:
        raise MalformedError(f"the answer has {len(found)} sources, more than {MOST_SOURCES}; a query can add them up with sum by (…)")
    known = sorted({slot for slots in found.values() for slot in slots})
    return tuple(
        ProxyReading(
            proxy=source,
            at=max(at for at, _ in slots.values()),
            slots=tuple(SlotReading(slot=slot, counters=slots[slot][1] if slot in slots else {}) for slot in known),
        )
        for source, slots in sorted(found.items())
    )
