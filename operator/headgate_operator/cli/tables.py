"""The one look of all tables: columns and nothing else, so that they can be read aloud, cut and pasted."""

from rich.table import Table


def plain_table(*columns: str) -> Table:
    """Return a table without lines; the last column takes what does not fit into more lines."""
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.columns[-1].overflow = "fold"
    return table
