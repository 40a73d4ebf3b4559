"""Rollouts to show: statuses as an operator writes them, and a web view that serves them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.pages.deployment import Told
from headgate_operator.web.access import AccessSettings
from headgate_operator.web.board import Board
from headgate_operator.web.server import WebServer, WebSettings

BEGAN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TOKEN = "correct-horse-battery-staple"
STABLE, CANDIDATE, REFUSED = "r9b2e77d1", "r3f9a1c02", "r0badbad0"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def pinned(revision: str, version: str, slot: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": revision, "modelUri": f"s3://models/m/{version}", "version": version, "isvc": f"m-{revision[1:]}", "slot": slot,
        "since": text(BEGAN), **more,
    }  # fmt: skip


def history(revision: str, version: str) -> dict[str, Any]:
    rendered = {"inferenceService": {"spec": "x" * 500}, "servingRuntime": {"spec": "y" * 500}}
    return pinned(revision, version) | {"promotedAt": text(BEGAN), "inputs": {"uri": "x"}, "rendered": rendered}


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {
        "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1, "lastTransitionTime": text(BEGAN)
    }  # fmt: skip


def metric(name: str, evidence: float, requests: int, bad: int) -> dict[str, Any]:
    return {
        "name": name, "verdict": "Undecided", "message": f"{bad} of {requests} against 2 of {3 * requests}", "evidence": evidence,
        "bound": 5.3, "promotionEvidence": 1.5, "promotionBound": 3.0, "bad": {"candidate": bad, "stable": 2},
        "total": {"candidate": requests, "stable": 3 * requests}, "requestsNeeded": 180, "mixture": None,
    }  # fmt: skip


def at_rest(version: str = "6", **more: Any) -> ModelDeploymentStatus:
    return ModelDeploymentStatus.model_validate(
        {
            "phase": "Healthy", "url": "http://m.ml.example.com", "stable": pinned(STABLE, version),
            "traffic": [{"id": STABLE, "weight": 100}], "history": [history(STABLE, version)],
            "conditions": [condition("Ready", "True", "Healthy")], **more,
        }
    )  # fmt: skip


def canary(*, weight: int = 25, requests: int = 140, bad: int = 1, evidence: float = 0.8, **more: Any) -> ModelDeploymentStatus:
    rendered = {"inferenceService": {"spec": "x" * 500}, "servingRuntime": {"spec": "y" * 500}}
    candidate = pinned(CANDIDATE, "7", 1, startedAt=text(BEGAN), step=1, weight=weight, rendered=rendered, inputs={"uri": "x"})
    evil = {
        "id": REFUSED, "modelUri": "s3://models/m/5", "version": "5", "reason": "ErrorsWorse", "message": "8 of 98 against 3 of 900",
        "at": text(BEGAN), "evidence": {
            "metric": "errors", "verdict": "Worse", "evidence": 5.6, "bound": 5.3, "bad": {"candidate": 8, "stable": 3},
            "total": {"candidate": 98, "stable": 900},
        },
    }  # fmt: skip
    analysis = {
        "candidate": CANDIDATE, "candidateSlot": 1, "stableSlot": 0, "weight": weight,
        "metrics": [metric("errors", evidence, requests, bad), metric("latency", 0.2, requests, 3)],
    }  # fmt: skip
    drift = {"window": 41, "input": "Clean", "prediction": "Drift", "top": [{"feature": "temp", "distance": 0.07}]}
    traffic = [{"id": STABLE, "weight": 100 - weight, "requests": 3 * requests}, {"id": CANDIDATE, "weight": weight, "requests": requests}]
    return at_rest(
        **{
            "phase": "Progressing", "candidate": candidate, "rejected": [evil], "analysis": analysis, "drift": drift, "traffic": traffic,
            "conditions": [condition("Ready", "True", "Healthy"), condition("Reconciling", "True", "Analysing", "step 2 of 3")], **more,
        }
    )  # fmt: skip


def rollout(board: Board, key: tuple[str, str] = ("ml", "flight-delay"), *, looks: int = 60) -> None:
    """A canary as it was seen every five seconds."""
    notes = {0: ("CandidateStarted", "version 7 was found"), 5: ("StepStarted", "5 % of the traffic"), 30: ("StepStarted", "25 %")}
    for look in range(looks):
        weight = 0 if look < 5 else 5 if look < 30 else 25
        told = [Told(at=at(5 * look), reason=notes[look][0], message=notes[look][1], warning=False)] if look in notes else []
        requests = 2 * max(0, look - 5) + 8 * max(0, look - 30)
        drift = {
            "window": look // 20,
            "input": "Clean",
            "top": [{"feature": "temp", "distance": 0.05 + look / 1000}, {"feature": "hour", "distance": 0.04}],
        }
        status = canary(weight=weight, requests=requests, bad=requests // 50, evidence=look / 40, drift=drift)
        board.saw(key, status, at=at(5 * look), steps=3, owner=Owner(team="ops-analytics", runbook="https://wiki.example.com/x"), told=told)


def fleet(board: Board, size: int) -> None:
    """Deployments in several namespaces, of which every tenth is being rolled out and every fiftieth needs a person."""
    for number in range(size):
        key = (f"team-{number % 7}", f"model-{number:04}")
        if number % 50 == 3:
            stuck = [condition("Ready", "True", "Healthy"), condition("Stalled", "True", "CandidateRejected", "version 7 was refused")]
            status = at_rest(phase="RolledBack", conditions=stuck)
        else:
            status = canary(evidence=number % 5) if number % 10 == 1 else at_rest(str(number % 9 + 1))
        board.saw(key, status, at=at(number), steps=3)


class Leading:
    """A board that is kept up to date by looks."""

    banner = ""

    async def refresh(self) -> None:
        """There is nothing to do."""


@asynccontextmanager
async def served(board: Board, folder: Path, *, proxy_header: str | None = None, by_token: bool = True) -> AsyncIterator[str]:
    """Serve a board on a free port; yields where."""
    token = folder / "token"
    token.write_text(TOKEN + "\n")
    access = AccessSettings(token_file=token if by_token else None, proxy_header=proxy_header)
    server = WebServer(WebSettings(host="127.0.0.1", port=0, access=access), board, Leading())
    port = await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


def names(rows: Iterable[Any]) -> list[str]:
    return [row.name for row in rows]
