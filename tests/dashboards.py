"""The queries of the dashboards and alert rules as somebody gets them, with Grafana's variables filled in."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import promql_parser

from headgate_devcluster.dashboards.rules import groups

MANIFESTS: Final = Path(__file__).parents[1] / "manifests"
PAGES: Final = {path.stem: json.loads(path.read_text()) for path in sorted((MANIFESTS / "dashboards").glob("*.json"))}
RULES: Final = MANIFESTS / "alerts" / "rules"

_SERIES: Final = re.compile(r"([A-Za-z_:][\w:]*)\{")
_VARIABLE: Final = re.compile(r"\$(?!\d)\w+")  # $1 belongs to label_replace


@dataclass(frozen=True)
class Asked:
    """One query: where it stands and what is asked."""

    place: str
    expr: str

    @property
    def series(self) -> set[str]:
        """Names of the series it is about."""
        return set(_SERIES.findall(str(promql_parser.parse(self.expr))))


def panels(page: Any) -> list[Any]:
    """Everything on a page that is not a heading."""
    return [panel for panel in page["panels"] if panel["type"] != "row"]


def queries(**variables: str) -> list[Asked]:
    """Every query of every dashboard, with values for Grafana's variables."""
    return [
        Asked(f"{name}: {panel['title']}: {target['refId']}", filled(target["expr"], variables))
        for name, page in PAGES.items()
        for panel in panels(page)
        for target in panel["targets"]
    ]


def filled(expr: str, variables: dict[str, str]) -> str:
    """The query as Grafana sends it; a variable that nobody knows is a mistake."""
    return _VARIABLE.sub(lambda found: variables[found[0].removeprefix("$")], expr)


def rules() -> list[Asked]:
    """Every expression of every rule."""
    return [Asked(f"{rule.get('alert', rule.get('record'))}", rule["expr"]) for group in groups(RULES) for rule in group["rules"]]


def recorded() -> set[str]:
    """Names of the series that rules record."""
    return {rule["record"] for group in groups(RULES) for rule in group["rules"] if "record" in rule}


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and the documentation site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
