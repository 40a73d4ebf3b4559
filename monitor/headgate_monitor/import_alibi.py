"""`python -m headgate_monitor.import_alibi SAVED REFERENCE`: a detector that alibi-detect saved becomes a drift reference."""

import sys
from pathlib import Path

import click

from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.saved import import_saved


def _names(_ctx: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


@click.command(context_settings={"show_default": True, "max_content_width": 110})
@click.argument("saved", type=click.Path(path_type=Path))
@click.argument("reference", type=click.Path(path_type=Path))
@click.option("--features", default="", callback=_names, help="Names of the columns, with commas; x0, x1 and so on if not given.")
@click.option("--in-time-order", is_flag=True, help="The rows are in the order in which they happened: learn the floors from them.")
@click.option("--window-rows", type=click.IntRange(100), default=500, help="Rows of the windows that will be compared.")
@click.option("--excluded", default="", callback=_names, help="Features that never alarm, with commas.")
def main(
    saved: Path, reference: Path, *, features: tuple[str, ...], in_time_order: bool, window_rows: int, excluded: tuple[str, ...]
) -> None:
    """Make the folder REFERENCE, a drift reference, of the folder SAVED, in which alibi-detect saved a detector.

    TabularDrift, KSDrift, CVMDrift and ChiSquareDrift can be imported. Folders with pickles are refused: loading one runs code.
    """
    try:
        imported = import_saved(saved, names=features, in_time_order=in_time_order, window_rows=window_rows, excluded=excluded)
        imported.write(reference)
    except DriftError as error:
        sys.exit(f"headgate: error: {error}")
    floors = "floors learned" if imported.calibrated else "floors uncalibrated"
    click.echo(f"{reference}: {len(imported.features)} features, {imported.fitted_rows} rows, detector {imported.detector}, {floors}")


if __name__ == "__main__":
    main()
