"""Writes the model card as Markdown and as an HTML page, from what the steps before left."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from headgate_components import html
from headgate_components.deployment.model_card.sections import Measured, Section, Words, sections
from headgate_components.files import read_object, replace_text

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def model_card(
    registration: Path,
    metrics: Path,
    *,
    fairness: Path | None = None,
    comparison: Path | None = None,
    importance: Path | None = None,
    words: Words,
    card: Path,
    page: Path,
) -> None:
    """Writes `card` (Markdown) and `page` (HTML).

    Args:
        registration: what `register_model` wrote.
        metrics: the JSON of `evaluate`.
        fairness: the JSON of `fairness`, if it was run.
        comparison: the JSON of `compare_to_champion`, if it was run.
        importance: the JSON of `explain`, if it was run.
        words: what only a person can say.
        card: the Markdown file to write.
        page: the HTML file to write.

    Raises:
        StepError: an input is no JSON object.
    """
    registered = read_object(registration, "registration")
    optional = {name: read_object(path, name) if path else None for name, path in (("fairness", fairness), ("comparison", comparison))}
    measured = Measured(
        read_object(metrics, "metrics"), **optional, importance=read_object(importance, "importance") if importance else None
    )
    title = f"Model card: {registered.get('modelName', 'a model')} version {registered.get('version', 'unknown')}"
    parts = sections(registered, measured, words)
    replace_text(card, _markdown(title, parts))
    html.write(page, title, map(_html, parts))


def _markdown(title: str, parts: Sequence[Section]) -> str:
    lines = [f"# {_plain(title)}"]
    for part in parts:
        lines += ["", f"## {_plain(part.title)}"]
        if part.text:
            lines += ["", _plain(part.text)]
        if part.rows:
            table = (part.header, tuple("---" for _ in part.header), *(tuple(_plain(_shown(cell)) for cell in row) for row in part.rows))
            lines += ["", *("| " + " | ".join(row) + " |" for row in table)]
    return "\n".join(lines) + "\n"


def _html(part: Section) -> str:
    text = "".join(f"<p>{escape(line)}</p>" for line in part.text.splitlines() if line.strip())
    if part.rows:
        return html.table(part.title, part.header, part.rows) + text
    return f"<h2>{escape(part.title)}</h2>{text}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is; lines stay."""
    return "\n".join(_MARKS.sub(r"\\\1", line) for line in text.splitlines())


def _shown(value: object) -> str:
    text = (
        f"{value:.4g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, int | float)
        else str(value)
    )
    return " ".join(text.split())
