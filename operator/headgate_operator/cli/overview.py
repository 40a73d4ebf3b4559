"""Several ModelDeployments at one look, a line each: whoever needs a person first."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from headgate_operator.cli.cluster import Deployment
from headgate_operator.cli.tables import plain_table
from headgate_operator.cli.view import PHASE_COLOURS
from headgate_operator.pages.deployment import URGENCY, Shown, highest_evidence, split


def overview(deployments: Sequence[Deployment]) -> RenderableType:
    """Return the table, ready to print."""
    if not deployments:
        return Text("there is no ModelDeployment in this namespace; is -n/--namespace right?")
    table = plain_table("deployment", "phase", "stable", "candidate", "traffic", "evidence", "reason")
    for deployment in sorted(deployments, key=lambda one: (URGENCY[one.status.phase], one.name)):
        status = deployment.status
        shown = Shown(namespace=deployment.namespace, name=deployment.name, status=status, steps=deployment.steps)
        evidence = highest_evidence(status)
        table.add_row(
            deployment.name,
            Text(status.phase, PHASE_COLOURS[status.phase]),
            status.stable.version if status.stable is not None else "–",
            status.candidate.version if status.candidate is not None else "–",
            split(status).label,
            f"{evidence[0]} {evidence[1].label}" if evidence is not None else "–",
            shown.reason.reason if shown.reason is not None else "–",
        )
    return table
