"""What every run on this machine shares: where its data come from, and what a person sees of it."""

import hashlib
from pathlib import Path
from typing import Any, Protocol

from headgate_pipelines.flights import prepare
from headgate_pipelines.local import LocalRun, Progress
from headgate_pipelines.recipe import Recipe, RecipeError, flights_recipe, read_recipe
from headgate_pipelines.transcript import StepRun

FLIGHTS = "flights"


class Say(Protocol):
    """Prints a piece of progress; the line goes on if it does not end."""

    def __call__(self, text: str, *, end: bool) -> None:
        """Prints it."""


def recipe_of(data: str, recipe: Path | None) -> Recipe:
    """The recipe in a file, or the one that the flights come with.

    Raises:
        RecipeError: it is missing or wrong.
    """
    if recipe is not None:
        return read_recipe(recipe)
    if data != FLIGHTS:
        raise RecipeError(f"the data '{data}' needs --recipe FILE, which names its columns; examples/flights/recipe.yaml is one")
    return flights_recipe()


def source_of(data: str, output: Path, say: Say) -> str:
    """The file or URI of the data; the flights are joined first.

    Raises:
        FlightsError: the flights data cannot be read.
    """
    if data != FLIGHTS:
        return data
    say("headgate: joining flights and weather … ", end=False)
    path = prepare(output.absolute() / "data")
    say("done", end=True)
    return str(path)


def digest_of(source: str) -> str:
    """The snapshot id of a file here, so that cached steps notice when it changes; empty for what only ingest can read."""
    path = Path(source)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def progress(say: Say) -> Progress:
    """Prints one line a step."""

    def started(number: int, name: str) -> None:
        say(f"headgate: step {number} {name} … ", end=False)

    def ended(run: StepRun) -> None:
        say("cached" if run.cached else f"{run.seconds:.1f} s{', failed' if run.failed else ''}", end=True)

    return Progress(started, ended)


def told(finished: LocalRun) -> dict[str, Any]:
    """What the outcome of every run says: folders, summary, and `seconds` by step, 0 for cached ones."""
    seconds: dict[str, float] = {}
    for step in finished.steps:
        seconds[step.name] = round(seconds.get(step.name, 0.0) + step.seconds, 2)
    return {"artifacts": str(finished.artifacts), "summary": str(finished.file("summarize-run", "summary")), "seconds": seconds}
