"""From drift to a new version: training runs, the registry, what serves since when. A run itself exports nothing: see MLflow.

What Kubeflow Pipelines tells of itself comes from its API server, if Prometheus scrapes that (resource/resource_manager.go and
server/run_server.go below backend/src/apiserver, releases 2.x).
"""

from typing import Final

from headgate_devcluster.dashboards.panel import Dashboard, Panel, Query, Row, Unit, View
from headgate_devcluster.dashboards.promql import NAME, latest, rate, total

KUBEFLOW: Final = frozenset(
    {
        "resource_manager_workflow_runs_failed",
        "resource_manager_workflow_runs_success",
        "run_server_create_requests",
        "recurring_run_server_create_requests",
    }
)
"""Series of Kubeflow's own that are asked for; no test can scrape them."""

_STALE: Final = latest("headgate_trouble", "reason", matchers='condition=~"InputDrift|SkillDrop"')
_STABLE_SINCE: Final = latest("headgate_version_since_timestamp_seconds", "version", matchers='role="stable"')

_RETRAINING: Final = Row(
    "Retraining, started by the operator",
    (
        Panel(
            title="Last run of each model",
            description="How it stands, and when it was decided on.",
            queries=(Query(f"1000 * {latest('headgate_retraining_run_timestamp_seconds', 'state')}"),),
            view=View.TABLE,
            unit=Unit.AGO,
            columns={"namespace": "Namespace", "name": "ModelDeployment", "state": "State", "Value": "Decided on"},
            width=12,
            runbook="retrainingfailed",
        ),
        Panel(
            title="Runs, in the time shown",
            description="In all namespaces. A run that failed is not repeated: drift that lasts leads to another after the cooldown.",
            queries=(Query("sum by (result) (increase(headgate_retraining_runs_total[$__range]))", "{{result}}"),),
            view=View.NUMBER,
            width=12,
            runbook="retrainingfailed",
        ),
        Panel(
            title="Age of what serves",
            description="Since when each stable version is stable. Compare with how often you retrain.",
            queries=(Query(f"time() - {_STABLE_SINCE}", f"{NAME} {{{{version}}}}"),),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Reasons to retrain",
            description="Objects whose stable version is out of date by its inputs or by its labels.",
            queries=(Query(f"count by (reason) ({_STALE})", "{{reason}}"),),
            runbook="worldchanged",
        ),
        Panel(
            title="Became of new versions, in the time shown",
            description="What the comparison with the stable version made of them, in all namespaces.",
            queries=(
                Query("sum(increase(headgate_promotions_total[$__range]))", "promoted"),
                Query("sum(increase(headgate_rollbacks_total[$__range]))", "refused"),
            ),
            view=View.NUMBER,
        ),
    ),
)

_REGISTRY: Final = Row(
    "Model registry",
    (
        Panel(
            title="Followed aliases",
            description="Which version each was last seen to name.",
            queries=(Query(latest("headgate_registry_version", "model", "alias", "version")),),
            view=View.TABLE,
            columns={"namespace": "Namespace", "name": "ModelDeployment", "model": "Model", "alias": "Alias", "version": "Version"},
            width=12,
            runbook="aliasmoved",
        ),
        Panel(
            title="Not written yet",
            description="Tags and aliases that the registry has not acknowledged. Readers of the alias see an older version until then.",
            queries=(Query(latest("headgate_registry_unwritten"), NAME),),
            width=12,
            limit=1,
            runbook="registrywritefailed",
        ),
    ),
)

_KUBEFLOW: Final = Row(
    "Kubeflow Pipelines (if its API server is scraped)",
    (
        Panel(
            title="Runs that ended well",
            description="Present number by namespace and workflow, as its API server counts them.",
            queries=(Query("sum by (profile, workflow) (resource_manager_workflow_runs_success)", "{{profile}} {{workflow}}"),),
        ),
        Panel(
            title="Runs that failed",
            description="Present number by namespace and workflow, as its API server counts them.",
            queries=(Query("sum by (profile, workflow) (resource_manager_workflow_runs_failed)", "{{profile}} {{workflow}}"),),
            limit=1,
        ),
        Panel(
            title="Runs asked for",
            description="By anybody, the operator included, and on schedules.",
            queries=(
                Query(total(rate("run_server_create_requests")), "runs"),
                Query(total(rate("recurring_run_server_create_requests")), "schedules"),
            ),
            unit=Unit.PER_SECOND,
        ),
    ),
)

PIPELINES: Final = Dashboard(
    uid="headgate-pipelines",
    title="Headgate / Pipelines",
    description="From drift to a new version.",
    page="pipelines.md",
    rows=(_RETRAINING, _REGISTRY, _KUBEFLOW),
)
