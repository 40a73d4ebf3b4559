"""The chain for people: one link below the other, from the data to where the version serves."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_UNKNOWN: Final = "not known"
_WIDTH: Final = 12
_METRICS: Final = ("rocAuc", "prAuc", "brier", "logLoss")


def lines(chain: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines to print."""
    yield f"{chain['model']}, version {chain['version'] or _UNKNOWN}"
    for title, facts in _links(chain):
        for place, fact in enumerate(facts or [_UNKNOWN]):
            yield f"{title if not place else '':<{_WIDTH}}{fact}"


def _links(chain: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    data, run, registered = (chain[name] or {} for name in ("data", "run", "registered"))
    yield "data", _said(data.get("dataset"), data.get("snapshot"), _period(data))
    yield "features", _said((chain["features"] or {}).get("digest"))
    yield "reference", _said((chain["reference"] or {}).get("digest"))
    metrics = run.get("metrics") or {}
    yield (
        "run",
        _said(
            " ".join(_said(run.get("id"), run.get("status"), _worded("ended", run.get("endedAt")))),
            _worded("git commit", run.get("gitCommit")),
            _worded("pipeline run", run.get("pipelineRun")),
            ", ".join(f"{name} {metrics[name]:.4g}" for name in _METRICS if name in metrics),
        ),
    )
    aliases = ", ".join(registered.get("aliases") or ())
    state = " ".join(_said(registered.get("status"), registered.get("reason"), _worded("at", registered.get("time"))))
    yield (
        "registered",
        _said(
            " ".join(_said(registered.get("createdAt"), f"as {aliases}" if aliases else None)),
            registered.get("storageUri"),
            registered.get("modelDigest"),
            state,
            registered.get("message"),
        ),
    )
    places = chain["deployments"]
    yield "deployments", [] if places is None else [_place(place) for place in places] or ["none"]


def _said(*facts: str | None) -> list[str]:
    return [fact for fact in facts if fact]


def _worded(word: str, fact: str | None) -> str | None:
    return f"{word} {fact}" if fact else None


def _period(data: Mapping[str, str]) -> str:
    rows = f"{int(data['rows']):,} rows" if data.get("rows", "").isdecimal() else ""
    period = f"{data['trainStart']} to {data['trainEnd']}" if {"trainStart", "trainEnd"} <= data.keys() else ""
    return ", ".join(_said(rows, period))


def _place(place: Mapping[str, Any]) -> str:
    who = ", ".join(_said(*((place["owner"] or {}).get(name) for name in ("team", "contact"))))
    owner = f" (owner {who})" if who else ""
    words = _said(
        place["role"], _worded("version", place["version"]), f"as {place['revision']}", _worded("since", place["since"]), place["reason"]
    )
    return f"{place['namespace']}/{place['name']}{owner}: {' '.join(words)}"
