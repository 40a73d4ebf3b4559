"""The generated parts of docs/serving.md: `python -m headgate_serving.reference docs/serving.md` brings them up to date."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from headgate_serving.arguments import PREFIX, argument_parser


def rewritten(document: str) -> str:
    """The document with its generated blocks as the code is now."""
    for name, lines in (("options", _options()), ("metrics", _metrics())):
        block = "\n".join((f"<!-- {name}, generated -->", *lines, f"<!-- end of {name} -->"))
        document = re.sub(rf"<!-- {name}, generated -->.*?<!-- end of {name} -->", lambda _: block, document, flags=re.DOTALL)  # noqa: B023
    return document


def _options() -> list[str]:
    actions = [action for action in argument_parser({})._actions if action.dest != "help"]
    rows = [f"| `--{action.dest}` | {_default(action.default)} | {action.help}{_choices(action.choices)} |" for action in actions]
    return [f"| flag (variable: `{PREFIX}` and the name in capitals) | default | |", "|---|---|---|", *rows]


def _default(value: object) -> str:
    return "(required)" if value is None else f"`{value}`"


def _choices(choices: Iterable[str] | None) -> str:
    return "" if choices is None else ": " + ", ".join(f"`{choice}`" for choice in choices)


def _metrics() -> list[str]:
    sys.argv = sys.argv[:1]  # KServe parses them when it is imported
    from prometheus_client import REGISTRY

    import headgate_serving.server.metrics  # noqa: F401 - it declares them

    families = sorted(REGISTRY._collector_to_names, key=lambda one: str(getattr(one, "_name", "")))
    ours = [one for one in families if str(getattr(one, "_name", "")).startswith("headgate_serving_")]
    return ["| series | further labels | |", "|---|---|---|", *map(_metric, ours)]


def _metric(collector: object) -> str:
    kind, name = type(collector).__name__, getattr(collector, "_name", "")
    shown = {"Counter": f"{name}_total", "Histogram": f"{name}_bucket, _sum, _count"}.get(kind, name)
    labels = [label for label in getattr(collector, "_labelnames", ()) if not label.startswith("model_")]
    return f"| `{shown}` | {', '.join(labels) or '–'} | {getattr(collector, '_documentation', '')} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
