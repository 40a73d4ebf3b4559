"""`python -m headgate_devcluster.dashboards FOLDER` writes what is generated below `manifests`."""

from pathlib import Path
from typing import Final

import click

from headgate_devcluster.dashboards.drift import DRIFT
from headgate_devcluster.dashboards.grafana import as_json
from headgate_devcluster.dashboards.operator import OPERATOR
from headgate_devcluster.dashboards.pipelines import PIPELINES
from headgate_devcluster.dashboards.rollouts import ROLLOUTS
from headgate_devcluster.dashboards.rules import prometheus_rule
from headgate_devcluster.dashboards.serving import SERVING

BOARDS: Final = (ROLLOUTS, OPERATOR, SERVING, DRIFT, PIPELINES)


def generated(manifests: Path) -> dict[Path, str]:
    """Return every generated file below this folder."""
    dashboards = {manifests / "dashboards" / f"{board.uid.removeprefix('headgate-')}.json": as_json(board) for board in BOARDS}
    return dashboards | {manifests / "alerts" / "prometheusrule.yaml": prometheus_rule(manifests / "alerts" / "rules")}


@click.command()
@click.argument("manifests", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(manifests: Path) -> None:
    """Write dashboards and the PrometheusRule."""
    for path, text in generated(manifests).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
