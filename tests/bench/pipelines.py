"""How long the training pipeline takes on all flights of this machine, step by step: the same steps as on a cluster, each a process.

Wall time depends on what else the machine does; CPU time hardly does. The promise is about two cores that do nothing else.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

from headgate_pipelines.training_run import TrainingRequest, train
from tests.bench.report import Cell, Report, Table

_PROMISED_SECONDS = 40
_TRAIN, _EVALUATE = (1, 5), (6, 6)


def run(*, quick: bool) -> Report:
    """Train on all flights, then once more, which must train nothing; quick: on two months."""
    with tempfile.TemporaryDirectory(prefix="headgate-bench-") as folder:
        request = _request(Path(folder), (4, 5) if quick else _TRAIN)
        rows, first = _measured(request)
        rows_again, again = _measured(request)
    tables = [_table("Training, nothing cached", rows, first), _table("The same once more", rows_again, again)]
    late = f"training took {first[0]:.0f} s, {_PROMISED_SECONDS} are promised on two free cores"
    missed = [] if quick or first[0] <= _PROMISED_SECONDS else [late]
    return Report(tables=tables, missed=missed)


def _request(folder: Path, months: tuple[int, int]) -> TrainingRequest:
    return TrainingRequest(
        data="flights",
        recipe=None,
        train_months=months,
        evaluate_month=_EVALUATE,
        model_name="flight-delay",
        storage=folder / "models",
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        max_categories=0,
        unknown="other",
        trees=None,
        max_depth=None,
        tune_trials=0,
        ablation=False,
        minimum_roc_auc=None,
        minimum_pr_auc=None,
        seed=0,
        threads=min(2, os.cpu_count() or 1),
        settings=(),
        output=folder / "output",
        git_commit="",
    )


def _measured(request: TrainingRequest) -> tuple[list[tuple[Cell, ...]], tuple[float, float]]:
    """The steps with their wall and CPU seconds, and both for the whole run, the join of the data included."""
    steps = _Steps()
    began, cpu = time.perf_counter(), _children() + time.process_time()
    train(request, steps)
    return steps.rows, (time.perf_counter() - began, _children() + time.process_time() - cpu)


class _Steps:
    """Hears of each step when it starts and when it has ended."""

    def __init__(self) -> None:
        self.rows: list[tuple[Cell, ...]] = []
        self._running, self._since, self._cpu = "", 0.0, 0.0

    def __call__(self, text: str, *, end: bool) -> None:
        if not end:
            name = text.removeprefix("headgate: ").removesuffix(" … ")
            self._running, self._since, self._cpu = name, time.perf_counter(), _children()
            return
        self.rows.append((self._running, "cached" if text == "cached" else time.perf_counter() - self._since, _children() - self._cpu))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _table(title: str, rows: list[tuple[Cell, ...]], total: tuple[float, float]) -> Table:
    return Table(title=title, columns=("step", "seconds", "CPU seconds"), rows=[*rows, ("all, with the join of the data", *total)])
