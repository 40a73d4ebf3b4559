"""What is wrong with commands that cannot be run in a test, as far as one can tell by reading them."""

import importlib
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import Final

import click

from headgate_operator.cli.main import main as headgate
from tests.docblocks import ROOT
from tests.overlays import KUBECTL, kustomized

_BETWEEN_COMMANDS: Final = frozenset("();<>|&\n")
_COMMENT: Final = re.compile(r"(^|\s)#[^'\"\n]*$", re.MULTILINE)
_PREFIXES: Final = re.compile(r"\w+=.*|do|then|else|while|until|if|!|sudo|nice|exec|time|env|\$|\{")
_TARGETS: Final = re.compile(r"^([a-z][a-z0-9-]*)%?:", re.MULTILINE)
_PACKAGES_THAT_RUN: Final = {"headgate_operator.controller", "headgate_monitor"}


def commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a shell script, as words. Good enough for documentation: no here-documents."""
    text = _COMMENT.sub("", script).replace("\\\n", " ").replace("$(", " ( ")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    for between, words in groupby(lexer, lambda word: bool(word) and set(word) <= _BETWEEN_COMMANDS):
        if not between:
            command = list(words)
            while command and _PREFIXES.fullmatch(command[0]):
                del command[0]
            if command:
                yield command


def complaint(command: list[str]) -> str | None:
    """What is wrong with a command, or None: also for programs that are not ours and that nobody checks here."""
    name, *words = command
    if name == "kubectl" and words[:1] == ["headgate"]:
        name, words = "headgate", words[1:]
    if name.startswith("tests/") and not (ROOT / name).exists():
        return f"there is no {name}"
    check = _CHECKS.get(name)
    return check(words) if check else None


def _headgate(words: list[str]) -> str | None:
    return _click(headgate, ["headgate"], words)


def _click(command: click.Command, path: list[str], words: list[str], parent: click.Context | None = None) -> str | None:
    context = click.Context(command, info_name=path[-1], parent=parent, **command.context_settings)
    if not isinstance(command, click.Group) or not words or words[0].startswith("-"):
        try:
            command.make_parser(context).parse_args(list(words))
        except click.UsageError as error:
            return f"{' '.join(path)}: {error.format_message()}"
        return None
    if words[0] == "…":  # the family of commands, not one of them
        return None
    inner = command.get_command(context, words[0])
    return _click(inner, [*path, words[0]], words[1:], context) if inner else f"{' '.join(path)} has no command {words[0]}"


def _make(words: list[str]) -> str | None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(_TARGETS.findall(makefile))
    for word in words:
        if "=" not in word and not word.startswith("-") and word not in targets and f"{word.split('-')[0]}-" not in targets:
            return f"the Makefile has no target {word}"
    return None


def _kubectl(words: list[str]) -> str | None:
    folders = [after for before, after in pairwise(words) if before in {"-k", "--kustomize"}]
    folders += words[1:2] if words[:1] == ["kustomize"] else []
    for folder in folders:
        if not (ROOT / folder / "kustomization.yaml").exists():
            return f"kubectl: there is no kustomization in {folder}"
        if KUBECTL:
            _build(folder)
    return None


@cache
def _build(folder: str) -> None:
    assert kustomized(ROOT / folder)


def _python(words: list[str]) -> str | None:
    if words[:1] != ["-m"] or not words[1].startswith(("headgate_", "tests.")):
        return None
    module, arguments = words[1], words[2:]
    if importlib.util.find_spec(module) is None:
        return f"python -m {module}: there is no such module"
    if not arguments:
        return None
    program = getattr(importlib.import_module(f"{module}.__main__" if module in _PACKAGES_THAT_RUN else module), "main", None)
    return _click(program, [f"python -m {module}"], arguments) if isinstance(program, click.Command) else None


_CHECKS: Final[dict[str, Callable[[list[str]], str | None]]] = {
    "headgate": _headgate,
    "make": _make,
    "kubectl": _kubectl,
    "python": _python,
    "python3": _python,
}
