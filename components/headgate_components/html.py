"""Self-contained HTML reports: no script, no style sheet or picture from elsewhere, because the pipelines UI shows them in a sandbox."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 60rem; color: #1c2733; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .25rem .8rem; border-bottom: 1px solid #d6dde4; text-align: left; }
td { font-variant-numeric: tabular-nums; } .pass { color: #1a7f4b; } .fail { color: #b3261e; }
svg { background: #f7f9fb; margin: .5rem 1rem .5rem 0; max-width: 100%; height: auto; }
figcaption { color: #52606d; } figure { display: inline-block; margin: 0; }
"""
_SIZE = 300
_MARGIN = 36

Point = tuple[float, float]


def page(title: str, sections: Iterable[str]) -> str:
    """A whole document of sections that are HTML already."""
    heading = escape(title)
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{heading}</title><style>{_STYLE}</style></head>\n'
        f"<body><h1>{heading}</h1>\n{body}\n</body></html>\n"
    )


def verdict(problems: Sequence[str]) -> str:
    """One word if there are no problems, else the list of them."""
    if not problems:
        return '<p class="pass">Passed</p>'
    return f'<p class="fail">Failed</p><ul>{"".join(f"<li>{escape(problem)}</li>" for problem in problems)}</ul>'


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A captioned table; counts are shown whole, other numbers with four significant digits."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f'<h2>{escape(caption)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def unit_chart(caption: str, x: str, y: str, points: Sequence[Point], diagonal: Sequence[Point] = ()) -> str:
    """A line through points of the unit square, with an optional second line (such as the diagonal) to compare with."""
    compared = f'<polyline fill="none" stroke="#9aa7b4" stroke-dasharray="4" points="{_path(diagonal)}"/>' if diagonal else ""
    side = _SIZE + 2 * _MARGIN
    end = _MARGIN + _SIZE
    return (
        f'<figure><svg viewBox="0 0 {side} {side}" width="{side}" height="{side}" role="img" aria-label="{escape(caption)}" '
        f'font-size="11" fill="#52606d">'
        f'<path d="M{_MARGIN} {_MARGIN}V{end}H{end}" fill="none" stroke="#9aa7b4"/>{compared}'
        f'<polyline fill="none" stroke="#1f6feb" stroke-width="2" points="{_path(points)}"/>'
        f'<text x="{_MARGIN - 4}" y="{_MARGIN + 4}" text-anchor="end">1</text><text x="{end}" y="{end + 14}" text-anchor="end">1</text>'
        f'<text x="{_MARGIN - 4}" y="{end + 4}" text-anchor="end">0</text>'
        f'<text x="{side / 2}" y="{end + 28}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(14 {side / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
        f"</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{_MARGIN + x * _SIZE:.1f},{_MARGIN + (1 - y) * _SIZE:.1f}" for x, y in points)


def _shown(value: object) -> str:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) >= 1000):
        return f"{value:,.0f}"  # a count, also where everything measured is kept as a float
    return f"{value:.4g}" if isinstance(value, float) else str(value)
