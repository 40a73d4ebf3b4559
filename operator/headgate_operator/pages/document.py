"""Whole documents from templates. Everything is escaped unless we drew it; a name that a template does not know is an error."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from headgate_operator.pages import deployment
from headgate_operator.pages.chart import HEIGHT, WIDTH
from headgate_operator.pages.words import number, utc

_HERE: Final = files("headgate_operator.pages")
OFFLINE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a page that somebody keeps may load: nothing."""


def asset(name: str) -> bytes:
    """Return a file that pages load: `page.css`, `live.js` or `icon.svg`."""
    return (_HERE / "assets" / name).read_bytes()


@cache
def environment(more: Path | None = None) -> jinja2.Environment:
    """Return the templates, with those of another folder before them."""
    ours = jinja2.PackageLoader("headgate_operator.pages")
    loader = ours if more is None else jinja2.ChoiceLoader([jinja2.FileSystemLoader(more), ours])
    made = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, auto_reload=False
    )
    made.filters |= {"utc": utc, "number": number}
    made.globals |= {
        "width": WIDTH,
        "height": HEIGHT,
        "phase_tone": deployment.phase_tone,
        "condition_tone": deployment.condition_tone,
        "explanation": deployment.explanation,
        "split": deployment.split,
        "evidence_gauge": deployment.evidence_gauge,
        "highest_evidence": deployment.highest_evidence,
        "side": deployment.side,
    }
    return made


def render(template: str, values: Mapping[str, object], *, more: Path | None = None) -> str:
    """Fill a template."""
    return environment(more).get_template(template).render(values)


def offline(template: str, values: Mapping[str, object], *, more: Path | None = None) -> str:
    """Fill a template that extends offline.html.j2: a page of its own that loads nothing."""
    style = Markup(asset("page.css").decode())  # noqa: S704 (a file of ours)
    return render(template, {"style": style, "policy": OFFLINE_POLICY, **values}, more=more)


def report(shown: deployment.Shown, made_at: str) -> str:
    """Return everything about one object as a page that can be kept and sent."""
    return offline("report.html.j2", {"shown": shown, "made_at": made_at})
