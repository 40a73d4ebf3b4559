"""Where evidence comes from: a Prometheus that scrapes the gateway's counters often enough, or the proxies themselves."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from headgate_operator.api.spec import SeriesPreset
from headgate_operator.cli.doctor.case import Answer, Case, UnheardError, listed, name_of
from headgate_operator.cli.doctor.findings import Finding, failed, ok, unknown, warning
from headgate_operator.cli.doctor.reach import not_heard
from headgate_operator.cli.doctor.server import judge_skew, offset
from headgate_operator.metrics.presets import PRESETS

_MINUTES: Final = 10
"""What the newest samples of a series are looked for in."""


async def check_evidence(case: Case) -> list[Finding]:
    """Every source that the operator or a ModelDeployment names."""
    found = [await _envoy(case, address) for address in case.settings.envoys]
    servers = _servers(case)
    for address, (series, interval) in servers.items():
        found += await _prometheus(case, address, series, interval)
    if not found:
        return [no_source(case)]
    return found


def no_source(case: Case) -> Finding:
    """Say what follows from there being no source of evidence."""
    remedy = "start the operator with --prometheus or --envoy-address, or name a provider in spec.analysis.provider"
    blind = [name_of(model) for model in case.models or ()]
    message = "the operator knows no Prometheus and no Envoy"
    return failed(f"{message}: {listed(blind)} can never be promoted", remedy) if blind else warning(message, remedy)


def _servers(case: Case) -> Mapping[str, tuple[str, float]]:
    """Return each server's series and scrape interval: the operator's own, and those in manifests."""
    settings = case.settings
    servers = {} if settings.prometheus is None else {settings.prometheus.rstrip("/"): (settings.series, settings.scrape_interval)}
    for model in case.models or ():
        provider = ((model["spec"].get("analysis") or {}).get("provider") or {}).get("prometheus") or {}
        if address := provider.get("address"):
            servers.setdefault(address.rstrip("/"), (provider.get("series", settings.series), settings.scrape_interval))
    return servers


async def _envoy(case: Case, address: str) -> Finding:
    try:
        answer = await case.ask(f"{address}/ready")
    except UnheardError as error:
        return not_heard(f"the proxy {address}", error)
    if answer.status == 200:
        return ok(f"the proxy {address} is ready and can be read")
    return failed(f"the proxy {address} answers HTTP {answer.status} to /ready", "look at the gateway's pods")


async def _prometheus(case: Case, address: str, series: str, interval: float) -> list[Finding]:
    asked = datetime.now(UTC)
    try:
        clock = await _query(case, address, "time()")
        answered = datetime.now(UTC)
        samples = await _query(case, address, samples_query(series))
    except UnheardError as error:
        return [not_heard(f"Prometheus at {address}", error)]
    found = [judge_answer(address, clock)]
    if found[0].level == "ok":
        found.append(judge_time(clock, asked, answered))
        found.append(judge_samples(address, series, samples, interval))
    return found


async def _query(case: Case, address: str, query: str) -> Answer:
    return await case.ask(f"{address}/api/v1/query", {"query": query})


def samples_query(series: str) -> str:
    """Return what asks how many samples of a preset's counters there are, of the target that is scraped most often."""
    names = "|".join(name for family in PRESETS[SeriesPreset(series)].families for name in family.names)
    return f'max(count_over_time({{__name__=~"{names}"}}[{_MINUTES}m]))'


def judge_answer(address: str, answer: Answer) -> Finding:
    """Say whether that is a Prometheus server which lets us ask."""
    if answer.status in (401, 403):
        message = f"Prometheus at {address} answers HTTP {answer.status}: it wants credentials, which this command does not send"
        return unknown(message, "see --prometheus-token-file of the operator, and its log for ProviderError")
    if answer.status != 200 or answer.json.get("status") != "success":
        return failed(f"{address} does not answer as Prometheus does (HTTP {answer.status})", "is it the right address and path?")
    return ok(f"Prometheus at {address} answers")


def judge_time(answer: Answer, asked: datetime, answered: datetime) -> Finding:
    """Compare its clock with ours."""
    try:
        theirs = datetime.fromtimestamp(float(answer.json["data"]["result"][0]), UTC)
    except (KeyError, IndexError, TypeError, ValueError):
        return unknown("what time it is for Prometheus cannot be read", "look at the clock of its machine")
    return judge_skew("Prometheus", offset(theirs, asked, answered, resolution=0.05))


def judge_samples(address: str, series: str, answer: Answer, interval: float) -> Finding:
    """Say whether the counters are there, and as often as the operator believes."""
    count = _value(answer)
    if count is None:
        message = f"Prometheus at {address} has no request counters of {series} from the last {_MINUTES} minutes"
        return unknown(
            message, "let it scrape the gateway's proxies; without any traffic so far, send a request through the gateway and look again"
        )
    if count < 2:
        message = f"its counters of {series} have a single sample from the last {_MINUTES} minutes"
        return unknown(message, "wait for another scrape and look again")
    seen = _MINUTES * 60 / count
    if seen > 1.5 * interval and count >= _MINUTES * 60 / interval / 20:
        message = f"its counters of {series} have one sample in {seen:.0f} s; the operator expects one in {interval:g} s"
        remedy = "if they have been scraped for that long, set --prometheus-scrape-interval to what it really is, or scrape more often"
        return warning(message, remedy)
    return ok(f"its counters of {series} are scraped every {seen:.0f} s or so")


def _value(answer: Answer) -> float | None:
    try:
        result: Any = json.loads(answer.body)["data"]["result"]
        return float(result[0]["value"][1])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
