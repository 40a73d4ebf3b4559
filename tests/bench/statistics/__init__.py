"""False rollbacks, detection, promotion: seeded simulation of the operator's own statistics, 2,000 runs each."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median, quantiles

from tests.bench.report import Report, Table
from tests.bench.statistics import demo, rules, scenarios
from tests.bench.statistics.rules import Verdict
from tests.bench.statistics.world import Plan, play, steady, ticks

from headgate_operator.stats.block import Block
from headgate_operator.stats.rollback import log_factors

RUNS = 2000
_Rule = Callable[..., Verdict]


def run(*, quick: bool) -> Report:
    """Simulate everything; the quick version makes a tenth of the runs."""
    runs, missed = RUNS // 10 if quick else RUNS, []
    with ProcessPoolExecutor() as pool:
        tables = [
            _false_rollbacks(pool, runs, missed),
            _detection(pool, runs, missed),
            _late_fault(pool, runs // 4, missed),
            _promotion(pool, runs),
            _false_promotions(pool, runs, missed),
            _demo(pool, runs // 10),
            _cost(),
        ]
    return Report(tables=tables, missed=missed)


def _judge(rule: _Rule, plan: Plan, seed: int) -> Verdict:
    return rule(play(plan, seed))


def _simulate(pool: ProcessPoolExecutor, rule: _Rule, plan: Plan, runs: int) -> list[Verdict]:
    return list(pool.map(partial(_judge, rule, plan), range(runs), chunksize=max(1, runs // 40)))


def _false_rollbacks(pool: ProcessPoolExecutor, runs: int, missed: list[str]) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for scenario in scenarios.GOOD:
        rule = partial(rules.headgate, restarted_pod=scenario.restarted_pod)
        verdicts = _simulate(pool, rule, scenario.plan, runs)
        worse, failing = (_share(verdicts, what) for what in ("Worse", "AllFailing"))
        others = [_share(_simulate(pool, other, scenario.plan, runs // 4), "Worse") for other in (rules.flagger, rules.peeked_z)]
        rows.append((scenario.name, worse, failing, *others))
        counted = worse if scenario.hard_failure_is_right else worse + failing
        if counted > 1:
            missed.append(f"{scenario.name}: {counted:.2f}% false rollbacks, at most 1% promised")
    return Table(
        title=f"An equally good version, 2 h: runs rolled back, in percent ({runs} runs; the other rules {runs // 4})",
        columns=("scenario", "headgate: evidence", "headgate: AllFailing", "Flagger's rule", "peeked z-test"),
        rows=rows,
        note="One metric at its half of α = 1 %. A candidate that fails everything for 30 s without a pod restart should be rejected.",
    )


def _detection(pool: ProcessPoolExecutor, runs: int, missed: list[str]) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for scenario in scenarios.BAD:
        found = _simulate(pool, rules.headgate, scenario.plan, runs)
        requests, seconds = median(verdict.requests for verdict in found), median(verdict.seconds for verdict in found)
        compared = median(verdict.seconds for verdict in _simulate(pool, rules.flagger, scenario.plan, runs // 4))
        promise = f"≤ {scenario.requests} requests" if scenario.requests else f"≤ {scenario.seconds} s"
        p90 = _p90([verdict.requests for verdict in found])
        rows.append((scenario.name, requests, p90, seconds, 100 - _share(found, "Open"), promise, compared))
        if (scenario.requests and requests > scenario.requests) or (scenario.seconds and seconds > scenario.seconds):
            missed.append(f"{scenario.name}: median {requests:g} requests, {seconds:g} s; {promise} promised")
    return Table(
        title=f"A bad version at 10 %: candidate requests and seconds until rollback ({runs} runs)",
        columns=("fault", "requests, median", "p90", "seconds, median", "detected, %", "promised", "Flagger's rule, s"),
        rows=rows,
        note="Rates are those of both versions together. Requests include the first, discarded block.",
    )


def _late_fault(pool: ProcessPoolExecutor, runs: int, missed: list[str]) -> Table:
    fresh, late = scenarios.fresh_fault(), scenarios.late_fault()
    at_start = median(verdict.seconds for verdict in _simulate(pool, rules.headgate, fresh, runs)) - 180
    after = median(verdict.seconds for verdict in _simulate(pool, rules.headgate, late, runs)) - 120 - 12.5 * 3600
    if after > 1.5 * at_start:
        missed.append(f"a fault after 12.5 good hours takes {after / at_start:.2f} times as long as one at the start; at most 1.5 promised")
    return Table(
        title=f"0.5 → 10 % at 50 % weight, 1 request a second: seconds from the fault to rollback ({runs} runs)",
        columns=("when", "seconds, median"),
        rows=[("a minute into the last step", at_start), ("after 12.5 good hours there", after)],
    )


def _promotion(pool: ProcessPoolExecutor, runs: int) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for share in (0.0, 0.001, 0.005, 0.01, 0.1):
        found = _simulate(pool, rules.promotion, _steps(2, 10, candidate=share, stable=share), runs)
        counts = [verdict.requests for verdict in found]
        rows.append((f"{share:.1%}", median(counts), _p90(counts), 100 - _share(found, "Open")))
    return Table(
        title=f"An equally good version: candidate requests until promotion evidence, steps 5/25/50 of a minute, 10/s ({runs} runs)",
        columns=("bad share of both", "requests, median", "p90", "promotable within 2 h, %"),
        rows=rows,
    )


def _false_promotions(pool: ProcessPoolExecutor, runs: int, missed: list[str]) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for candidate, stable in ((0.0402, 0.0205), (0.0201, 0.0101), (0.1, 0.005)):
        share = _share(_simulate(pool, rules.promotion, _steps(2, 10, candidate=candidate, stable=stable), runs), "Promoted")
        rows.append((f"{candidate:.2%} against {stable:.2%}", share))
        if share > 5:
            missed.append(f"{candidate:.2%} against {stable:.2%}: {share:.1f}% promoted, at most 5% promised")
    return Table(
        title=f"Twice as bad and above 2 %: runs in which promotion evidence was ever there, in percent ({runs} runs)",
        columns=("bad shares", "promotable"),
        rows=rows,
    )


def _steps(hours: float, rate: float, *, candidate: float, stable: float) -> Plan:
    plan = steady(hours, rate, candidate=candidate, stable=stable, weight=0.5)
    plan.weight[: ticks(60)], plan.weight[ticks(60) : ticks(120)] = 0.05, 0.25
    return plan


def _demo(pool: ProcessPoolExecutor, runs: int) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for name, settings in (
        ("clean, 75/s", {"rate": 75}),
        ("clean, 75/s, minRequests 100", {"rate": 75, "min_requests": 100}),
        ("0.5 % slow on both sides, 75/s", {"rate": 75, "slow": 0.005}),
        ("8 % fail, 75/s", {"rate": 75, "failing": 0.08}),
        ("8 % fail, 50/s", {"rate": 50, "failing": 0.08}),
    ):
        ends = list(pool.map(partial(demo.roll_out, **settings), range(runs), chunksize=max(1, runs // 8)))
        whats = ", ".join(f"{what} {sum(end.what == what for end in ends)}" for what in sorted({end.what for end in ends}))
        seconds = [end.seconds for end in ends]
        rows.append((name, whats, median(seconds), _p90(seconds), median(end.requests for end in ends), median(end.bad for end in ends)))
    return Table(
        title=f"The demo's rollouts through the whole analysis: steps 10/25/50 of 15 s ({runs} runs)",
        columns=("candidate", "outcomes", "seconds, median", "p90", "candidate requests", "failed"),
        rows=rows,
    )


def _cost() -> Table:
    rows: list[tuple[str | float, ...]] = []
    for bad in (10, 1_000, 100_000):
        block = Block(candidate_total=bad, candidate_bad=bad // 10, stable_total=9 * bad, stable_bad=bad - bad // 10)
        began = time.perf_counter()
        log_factors(block, 1.25)
        rows.append((f"{bad:,} bad of {10 * bad:,}", (time.perf_counter() - began) * 1000))
    return Table(title="Exact factors of one block, all odds ratios", columns=("block", "milliseconds"), rows=rows)


def _share(verdicts: list[Verdict], what: str) -> float:
    return 100 * sum(verdict.what == what for verdict in verdicts) / len(verdicts)


def _p90(values: list[float] | list[int]) -> float:
    return quantiles(values, n=10)[-1]
