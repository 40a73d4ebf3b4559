"""The fenced blocks of the documentation, and how each one says that it is tested.

The line above a block is a comment, which no reader of the page sees: `<!-- run -->`, `<!-- needs: cluster -->` and so on. CONTRIBUTING.md
lists them. A block without one fails the tests, so that no command and no manifest gets into the documentation untested.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/e2e/README.md")),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
)
UNMARKED: Final = "text"
"""The language of what is to be looked at only: output, diagrams, usage."""
OUTPUT: Final = "output"
"""The mark of text that the block of commands before it prints, spaces apart."""
NEEDS: Final = ("cluster", "docker", "kubeflow", "registry", "repository")
"""What a block may need that tests do not have; such a block is parsed instead of run."""
MARKS: Final = {
    "sh": ("run", "run: minutes", "run: refused", *(f"needs: {need}" for need in NEEDS)),
    "yaml": ("lint", "lint: spec", "kustomize", "kustomize: part", "parse", "file"),
    "json": ("parse", "file"),
    "python": ("run", "parse", "file"),
}
"""The marks that a block of a language may have; `file` is followed by a name, as in `file: recipe.yaml`."""

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)$")
_MARK = re.compile(r"^ *<!-- (?P<mark>[a-z]+(?:: \S+)?) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its mark (empty without one), and its text without indentation."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the reader is told to write, if the block is one."""
        kind, _, name = self.mark.partition(": ")
        return name if kind == "file" else None

    @property
    def problem(self) -> str | None:
        """What is wrong with the mark, in words."""
        if self.language == UNMARKED:
            return None if self.mark in ("", OUTPUT) else f"{self.place}: a block of text has no mark but <!-- {OUTPUT} -->"
        if self.language not in MARKS:
            return (
                f"{self.place}: the language is '{self.language}'; known are {', '.join(MARKS)}, and {UNMARKED} for what is only looked at"
            )
        allowed = MARKS[self.language]
        if self.mark in allowed or (self.file and "file" in allowed):
            return None
        marks = ", ".join(f"<!-- {mark} -->" for mark in allowed)
        return f"{self.place}: a block of {self.language} wants one of {marks} in the line above it"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in their order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        number += 1
        if fence:
            end = next(at for at in range(number, len(lines)) if lines[at].strip() == fence["ticks"])
            before = _MARK.match(lines[number - 2]) if number > 1 else None
            text = "".join(line[len(fence["indent"]) :] + "\n" for line in lines[number:end])
            yield Block(page, number, fence["info"].strip(), before["mark"] if before else "", text)
            number = end + 1


ALL: Final = [block for page in PAGES for block in blocks(page)]


def marked(*marks: str) -> list[Block]:
    """All blocks with one of these marks."""
    return [block for block in ALL if block.mark in marks]
