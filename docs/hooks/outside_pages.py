"""Lets the site show pages that lie elsewhere in the repository, such as the README, with their links leading where they should.

Both ways of reading stay whole: on a code host the files link to each other by their places in the repository, on the site by their pages.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
COMPONENTS = sorted((ROOT / "components/headgate_components").glob("*/*/README.md"))
# Where a page comes from, seen from the repository, and what it is called on the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/flights/README.md": "examples/flights.md",
    "images/README.md": "images.md",
    "examples/gitops/README.md": "examples/gitops.md",
    "tests/e2e/README.md": "e2e.md",
    "examples/flights/recipe.yaml": "examples/recipe.yaml",
    "examples/flights/schema.yaml": "examples/schema.yaml",
} | {str(path.relative_to(ROOT)): f"components/{path.parent.name}.md" for path in COMPONENTS}
SOURCES = {page: source for source, page in OUTSIDE.items()}

_LINK = re.compile(r"(\]\()([^)#\s:]+)(?=[#)])")
_CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the section of the components."""
    for section in config.nav or ():
        if "Components" in section:
            section["Components"] = [OUTSIDE[str(path.relative_to(ROOT))] for path in COMPONENTS]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what lies outside of docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turns links between places in the repository into links between pages. Code is left as it is."""
    pieces = _CODE.split(markdown)
    pieces[::2] = [_LINK.sub(lambda link: link[1] + _on_site(page.file.src_uri, link[2]), text) for text in pieces[::2]]
    return "".join(pieces)


def _on_site(here: str, target: str) -> str:
    """What a link of a page should say; links to what is no page are left for the strict build to complain about."""
    source = SOURCES.get(here, f"docs/{here}")
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if wanted in OUTSIDE:
        wanted = f"docs/{OUTSIDE[wanted]}"
    return posixpath.relpath(wanted, posixpath.dirname(f"docs/{here}"))
