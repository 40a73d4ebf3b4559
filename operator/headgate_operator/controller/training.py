"""The training pipelines that manifests have started: starting a run once, and seeing what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headgate_operator.api.status import RetrainingStatus
from headgate_operator.controller.errands import Errands
from headgate_operator.controller.following import Following
from headgate_operator.controller.upstream.kfp import create_run, find_run, read_run
from headgate_operator.controller.upstream.rest import Rest, RestError
from headgate_operator.rollout.upstream import RunAnswer, RunReport, RunRequest

_AT_A_TIME: Final = 4
_PAUSE: Final = 30.0  # seconds between two looks at a run

Key = tuple[str, str]


@dataclass(frozen=True)
class _RunQuestion:
    server: str
    run_id: str


class Training:
    """Starts and follows runs in the background; a pass only picks up what is known."""

    def __init__(self, rest: Rest, *, wake: Callable[[Key], None], pause: float = _PAUSE) -> None:
        self._rest = rest
        self._runs: Following[Key, _RunQuestion, RunReport] = Following(ask=self._look, pause=lambda *_: pause, wake=wake)
        self._requests: Errands[Key, str, RunAnswer] = Errands(limit=_AT_A_TIME, wake=wake)

    def run(self, key: Key, known: RetrainingStatus | None) -> RunReport | None:
        """Return how the last run stands, as far as it was asked; from now on it is, as long as it is under way."""
        if known is None or known.last_run_id is None or not known.state.under_way:
            self._runs.forget(key)
            return None
        return self._runs.latest(key, _RunQuestion(known.endpoint, known.last_run_id))

    def answers(self, key: Key) -> tuple[RunAnswer, ...]:
        """Return what became of requests, as far as it is not on record yet."""
        return tuple(self._requests.results(key).values())

    def recorded(self, key: Key, answers: tuple[RunAnswer, ...]) -> None:
        """Forget answers: the status that was written knows what follows from them."""
        for answer in answers:
            self._requests.settle(key, answer.request.display_name)

    def start(self, key: Key, request: RunRequest) -> None:
        """Start a run, unless one of that name is under way already, whatever its parameters."""

        async def work() -> RunAnswer:
            try:
                return RunAnswer(request=request, run_id=await self._start(request))
            except RestError as error:
                return RunAnswer(request=request, error=str(error))

        self._requests.start(key, request.display_name, work)

    def forget(self, key: Key) -> None:
        """Give up what belongs to an object that is gone. Runs go on by themselves."""
        self._runs.forget(key)
        self._requests.forget(key)

    async def close(self) -> None:
        """Give up everything."""
        await self._runs.close()
        await self._requests.close()

    async def _start(self, request: RunRequest) -> str:
        """Return the id of the run of that name: one that an earlier attempt started, or a new one."""
        found = await find_run(self._rest, request.endpoint, request.display_name)
        if found is not None:
            return found
        return await create_run(
            self._rest, request.endpoint, display_name=request.display_name, pipeline=request.pipeline, parameters=dict(request.parameters)
        )  # fmt: skip

    async def _look(self, question: _RunQuestion) -> RunReport:
        try:
            run = await read_run(self._rest, question.server, question.run_id)
        except RestError as error:
            return RunReport(run_id=question.run_id, message=str(error))
        return RunReport(run_id=question.run_id, state=run.state, message=run.message)
