"""The one look of all tables: columns and nothing else, so that they can be read aloud, cut and pasted."""

from rich.table import Table


def plain_table(*columns: str) -> Table:
    """Return a table without lines. What does not fit goes on in the next line: half of an id is of no use to anybody."""
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
    return table
