"""Options under headings in --help: what a program with many of them is read by."""

import click


class Grouped(click.Option):
    """An option under a heading."""

    def __init__(self, *arguments: object, group: str, **attributes: object) -> None:
        super().__init__(*arguments, **attributes)  # type: ignore[arg-type]
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help shows the options of a group together, in the order of the groups' first options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a group; options without one come last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(parameter, "group", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
