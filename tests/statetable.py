"""The table of states in docs/concepts.md, to be held against what the code does."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from headgate_operator.api.status import ModelDeploymentStatus, Phase

PAGE: Final = Path(__file__).parents[1] / "docs/concepts.md"
CONDITIONS: Final = ("Ready", "Reconciling", "Stalled")
_ABSENT, _ANY = "–", "any"


@cache
def states() -> dict[Phase, dict[str, str]]:
    """What the table says of each phase's conditions."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- states")
    rows = [[cell.strip() for cell in re.split(r" \| ", line.strip("| "))] for line in rest.partition("<!-- end")[0].splitlines()[3:]]
    return {Phase(row[0]): dict(zip(CONDITIONS, row[2:5], strict=True)) for row in rows}


def contradictions(status: ModelDeploymentStatus) -> list[str]:
    """What a status says that the table does not allow."""
    if status.phase is None:
        return []
    found = {condition.type.value: condition.status.value for condition in status.conditions}
    allowed = states()[status.phase]
    return [
        f"{status.phase.value}: {name} is {found.get(name, 'absent')}, the table says {allowed[name]}"
        for name in CONDITIONS
        if allowed[name] not in (_ANY, found.get(name, _ABSENT))
    ]
