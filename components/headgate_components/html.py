"""Self-contained HTML reports: no script, nothing from elsewhere, because the pipelines UI shows them in a sandbox.

The content security policy holds a report to that, whatever the names and values in the data are.
"""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from headgate_components.files import replace_text

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2733; --soft: #52606d; --rule: #d6dde4;
  --first: #1f5fbf; --second: #b54708; --pass: #166c3e; --fail: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e6ebf0; --soft: #a7b3bf; --rule: #3a4652;
  --first: #7fb2ff; --second: #ffab70; --pass: #63d297; --fail: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid var(--rule); text-align: left; }
td { font-variant-numeric: tabular-nums; } .pass { color: var(--pass); } .fail { color: var(--fail); }
figure { display: inline-block; margin: .5rem 1rem .5rem 0; width: 26rem; max-width: 100%; vertical-align: top; }
figure svg { width: 100%; height: auto; }
figcaption, .note { color: var(--soft); }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole document of sections that are HTML already."""
    heading = escape(title)
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{heading}</title><style>{_STYLE}</style></head>\n'
        f"<body><main><h1>{heading}</h1>\n{body}\n</main></body></html>\n"
    )


def write(path: Path, title: str, sections: Iterable[str]) -> None:
    """Writes a whole document, with the folder it goes to."""
    replace_text(path, page(title, sections))


def verdict(problems: Sequence[str]) -> str:
    """One word if there are no problems, else the list of them."""
    if not problems:
        return '<p class="pass">Passed</p>'
    return f'<p class="fail">Failed</p><ul>{"".join(f"<li>{escape(problem)}</li>" for problem in problems)}</ul>'


def heading(text: str) -> str:
    """The heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def note(text: str) -> str:
    """A paragraph that explains what stands beside it."""
    return f'<p class="note">{escape(text)}</p>'


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table under a heading; counts are shown whole, other numbers with four significant digits, None as a dash."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row) + "</tr>" for row in rows)
    name = escape(caption)
    # A keyboard can scroll only what it can reach.
    return (
        f'<h2>{name}</h2><div class="scroll" role="region" tabindex="0" aria-label="{name}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) >= 1000):
        return f"{value:,.0f}"  # a count, also where everything measured is kept as a float
    return f"{value:.4g}" if isinstance(value, float) else str(value)
