"""A forecast for people, as tables and sentences, and for programs, as plain data."""

from datetime import timedelta
from typing import Any

from rich.table import Table

from headgate_operator.api.quantities import format_share
from headgate_operator.cli.caveats import at_share, caveats, seconds
from headgate_operator.cli.forecast import FAULTS, Forecast, Typical, patience
from headgate_operator.cli.rehearsal import Ending, Stage
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.view import console


def plan_data(name: str, forecast: Forecast, seed: int) -> dict[str, Any]:
    """Return everything as plain data; times are seconds since the first weight."""
    scene, endings = forecast.scene, forecast.endings
    return {
        "name": name,
        "rate": scene.rate,
        "baseErrorRate": scene.base_rate,
        "runs": len(forecast.runs),
        "seed": seed,
        "stages": [_stage_data(forecast, number) for number in range(len(scene.stages))],
        "promotionEvidence": _typical_data(forecast.promotion),
        "endings": {ending.value: count for ending, count in endings.items()},
        "falseRollback": {
            "count": endings[Ending.ROLLED_BACK],
            "runs": len(forecast.runs),
            "atMost": forecast.false_rollbacks_at_most,
            "declared": scene.spec.analysis.false_rollback_rate,
        },
        "warnings": caveats(forecast),
    }


def print_plan(name: str, forecast: Forecast) -> None:
    """Print tables and sentences."""
    scene, screen = forecast.scene, console()
    rate = f"{scene.rate:g} requests a second, {scene.base_rate:.2%} of them bad"
    screen.print(f"{name} at {rate}: {len(forecast.runs)} rehearsals of a good version\n")
    screen.print(_timetable(forecast))
    caught = "candidate requests and time until a version is caught that fails this often from that stage on"
    screen.print(f"\n{caught} (medians; –: not caught in that time)")
    screen.print(_detection(forecast))
    screen.print()
    for sentence in (_promotion(forecast), _endings(forecast), _false_rollback(forecast)):
        screen.print(sentence)
    for sentence in caveats(forecast):
        screen.print(f"[yellow]warning:[/yellow] {sentence}")


def _timetable(forecast: Forecast) -> Table:
    table = plain_table("stage", "weight", "earliest", "usually", "at least", "candidate requests", "needed", "usually over")
    earliest, usually = timedelta(0), "0s"
    for number, stage in enumerate(forecast.scene.stages):
        end = forecast.end(number)
        over = seconds(end.time[0]) if end.usual else "–"
        name = _name(number, stage) + (" (after a pause)" if stage.pause_before else "")
        requests, needed = round(_requests(forecast, stage)), str(stage.min_requests) if not stage.watch else ""
        table.add_row(
            name,
            at_share(stage),
            seconds(earliest),
            usually,
            seconds(stage.min_duration),
            str(requests),
            needed,
            over,
        )
        earliest, usually = earliest + stage.min_duration, over
    return table


def _detection(forecast: Forecast) -> Table:
    table = plain_table("stage", "weight", *(f"{share:.0%}" for share in FAULTS), "looked for")
    for number, (stage, caught) in enumerate(zip(forecast.scene.stages, forecast.caught, strict=True)):
        cells = (f"{one.requests[0]} in {seconds(one.time[0])}" if one.usual else "–" for one in caught)
        table.add_row(_name(number, stage), at_share(stage), *cells, seconds(patience(forecast.scene, number)))
    return table


def _promotion(forecast: Forecast) -> str:
    found = forecast.promotion
    if not found.happened:
        return "promotion evidence: in no rehearsal"
    usual = f"{found.requests[0]} candidate requests, {seconds(found.time[0])} after the first"
    late = f"{found.requests[1]} and {seconds(found.time[1])} in one of ten"
    return f"promotion evidence: after {usual} ({late}); in {found.happened} of {found.of} rehearsals"


def _endings(forecast: Forecast) -> str:
    endings, of = forecast.endings, len(forecast.runs)
    others = {
        Ending.HELD: "waited for a person when holdTimeout was over",
        Ending.OUT_OF_TIME: "refused for want of requests",
        Ending.ROLLED_BACK: "rolled back by mistake",
    }
    rest = ", ".join(f"{endings[ending]} {words}" for ending, words in others.items())
    return f"a good version: {endings[Ending.PROMOTED]} of {of} promoted, {rest}"


def _false_rollback(forecast: Forecast) -> str:
    declared = format_share(forecast.scene.spec.analysis.false_rollback_rate)
    seen = f"at most {forecast.false_rollbacks_at_most:.2%} by these rehearsals (95 % certainty)"
    return f"false rollback: {seen}; at most {declared} by falseRollbackRate, whatever the traffic"


def _stage_data(forecast: Forecast, number: int) -> dict[str, Any]:
    stages = forecast.scene.stages
    stage, end = stages[number], forecast.end(number)
    return {
        "stage": _name(number, stage),
        "weight": stage.weight,
        "mirror": stage.mirror,
        "pauseBefore": stage.pause_before,
        "earliestStart": sum((before.min_duration for before in stages[:number]), timedelta()).total_seconds(),
        "minDuration": stage.min_duration.total_seconds(),
        "minRequests": stage.min_requests,
        "candidateRequests": _requests(forecast, stage),
        "requests": forecast.scene.rate * stage.min_duration.total_seconds(),
        "ends": end.time[0].total_seconds() if end.usual else None,
        "caught": [{"share": share} | _typical_data(one) for share, one in zip(FAULTS, forecast.caught[number], strict=True)],
    }


def _typical_data(found: Typical) -> dict[str, Any]:
    numbers = {
        "candidateRequests": {"median": found.requests[0], "p90": found.requests[1]},
        "seconds": {"median": found.time[0].total_seconds(), "p90": found.time[1].total_seconds()},
    }
    return {"rehearsals": found.of, "happened": found.happened, **(numbers if found.happened else {})}


def _requests(forecast: Forecast, stage: Stage) -> float:
    """Candidate requests that are expected in the stage's shortest duration."""
    return forecast.scene.rate * stage.share * stage.min_duration.total_seconds()


def _name(number: int, stage: Stage) -> str:
    return "watch" if stage.watch else f"step {number + 1}"
