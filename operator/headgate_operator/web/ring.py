"""Samples of one object over time, in a few hundred bytes at rest and some 30 KB at most.

Samples that have the same columns (the same versions, metrics and features) share one table of 32-bit numbers. While nothing changes,
only the last time moves. A full ring drops every other sample of its older half, so that a rollout of a day is kept whole, coarsely, and
its end finely.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from headgate_operator.pages.sample import Count, Evidence, Sample

MOST: Final = 240
"""Samples of one object."""

Column = tuple[str, ...]
"""What a number is: its field in Sample, then the keys there."""

_EVIDENCE: Final = ("rollback", "rollback_bound", "promotion", "promotion_bound")


@dataclass(slots=True)
class _Segment:
    columns: tuple[Column, ...]
    trial: str | None
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("f"))
    """Row by row."""

    @property
    def size(self) -> int:
        return 300 + 150 * len(self.columns) + 8 * len(self.times) + 4 * len(self.values)

    def row(self, index: int) -> "array[float]":
        width = len(self.columns)
        return self.values[index * width : (index + 1) * width]

    def last(self, count: int) -> "array[float]":
        return self.values[len(self.values) - count * len(self.columns) :]


class Ring:
    """Keeps samples of rising times."""

    __slots__ = ("_count", "_segments", "size")

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._count = 0
        self.size = 0
        """Bytes, about."""

    def __len__(self) -> int:
        return self._count

    def add(self, sample: Sample) -> None:
        """Keep a sample; one that says the same as the two before it takes the place of the last."""
        self._put(sample)
        if self._count > MOST:
            kept = list(self)
            older = kept[: MOST // 2]
            self._renew([*older[::2], *kept[MOST // 2 :]])
        self._measure()

    def shorten(self) -> None:
        """Forget all but the last sample."""
        self._renew(list(self)[-1:])
        self._measure()

    def __iter__(self) -> Iterator[Sample]:
        for segment in self._segments:
            for index, at in enumerate(segment.times):
                yield _unpacked(segment, at, segment.row(index))

    def _put(self, sample: Sample) -> None:
        packed = dict(_packed(sample))
        columns, values = tuple(packed), array("f", packed.values())
        last = self._segments[-1] if self._segments else None
        if last is None or last.columns != columns or last.trial != sample.trial:
            last = _Segment(columns, sample.trial)
            self._segments.append(last)
        if len(last.times) > 1 and last.last(2) == values + values:
            last.times[-1] = sample.at
            return
        last.times.append(sample.at)
        last.values.extend(values)
        self._count += 1

    def _renew(self, samples: list[Sample]) -> None:
        self._segments, self._count = [], 0
        for sample in samples:
            self._put(sample)

    def _measure(self) -> None:
        self.size = sum(segment.size for segment in self._segments)


def _packed(sample: Sample) -> Iterator[tuple[Column, float]]:
    """Yield what a sample says as single numbers."""
    for name in ("weights", "requests", "drift"):
        for key, value in getattr(sample, name).items():
            yield (name, key), value
    for metric, sides in sample.counts.items():
        for revision, count in sides.items():
            yield ("bad", metric, revision), count.bad
            yield ("total", metric, revision), count.total
    for metric, found in sample.evidence.items():
        for part in _EVIDENCE:
            yield ("evidence", metric, part), getattr(found, part)


def _unpacked(segment: _Segment, at: float, row: "array[float]") -> Sample:
    numbers = dict(zip(segment.columns, row, strict=True))
    plain: dict[str, dict[str, float]] = {"weights": {}, "requests": {}, "drift": {}}
    counts: dict[str, dict[str, Count]] = {}
    evidence: dict[str, Evidence] = {}
    for (kind, *keys), value in numbers.items():
        if kind in plain:
            plain[kind][keys[0]] = value
        elif kind == "total":
            metric, revision = keys
            counts.setdefault(metric, {})[revision] = Count(numbers["bad", metric, revision], value)
        elif kind == "evidence" and keys[1] == _EVIDENCE[0]:
            evidence[keys[0]] = Evidence(*(numbers["evidence", keys[0], part] for part in _EVIDENCE))
    return Sample(at=at, trial=segment.trial, counts=counts, evidence=evidence, **plain)
