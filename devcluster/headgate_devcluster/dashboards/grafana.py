"""Dashboards as Grafana reads them (10.1 and later). Panels stand in the order of the data, from left to right."""

import json
from string import ascii_uppercase
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models import prometheus as p

from headgate_devcluster.dashboards.panel import DOCS, RUNBOOK, Colour, Dashboard, Panel, View

TAG: Final = "headgate"
_SOURCE: Final = d.DataSourceRef(type_val="prometheus", uid="${datasource}")
_ANY: Final = ".+"
"""What `All` stands for: a list of every name would make requests of many kilobytes."""

Box = timeseries.Panel | stat.Panel | statetimeline.Panel | table.Panel


def as_json(board: Dashboard) -> str:
    """Return the file to provision."""
    page = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(d.DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("Headgate").type(d.DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True).include_vars(True))
        .link(_link("Documentation", f"{DOCS}/{board.page}"))
        .link(_link("Runbook", RUNBOOK))
    )
    for variable in _variables(board):
        page = page.with_variable(variable)
    number = 0
    for row in board.rows:
        page = page.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            number += 1
            page = page.with_panel(_box(panel).id(number))
    return json.dumps(page.build(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _link(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(d.DashboardLinkType.LINK).url(url).target_blank(True)


def _variables(board: Dashboard) -> list[dashboard.DatasourceVariable | dashboard.QueryVariable]:
    source = dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    if not board.by_model:
        return [source]
    return [
        source,
        _choice("namespace", "Namespace", "label_values(headgate_rollout_phase, namespace)"),
        _choice("model", "ModelDeployment", 'label_values(headgate_rollout_phase{namespace=~"$namespace"}, name)'),
    ]


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(_SOURCE)
        .query(query)
        .refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(d.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(_ANY)
        .current(d.VariableOption(selected=True, text="All", value="$__all"))
    )


def _box(panel: Panel) -> Any:
    box: Any = {View.NUMBER: _number, View.STATES: _states, View.TABLE: _table}.get(panel.view, _graph)(panel)
    box = box.title(panel.title).description(panel.description).datasource(_SOURCE).unit(panel.unit.value).span(panel.width)
    box = box.height(panel.height).thresholds(_thresholds(panel))
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        asked = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(_SOURCE)
        if query.legend:
            asked = asked.legend_format(query.legend)
        box = box.with_target(asked.instant().format(p.PromQueryFormat.TABLE) if panel.view is View.TABLE else asked.range())
    if panel.runbook is not None:
        box = box.links([_link("Runbook", f"{RUNBOOK}#{panel.runbook}")])
    return box


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    base = Colour.NEUTRAL if panel.limit is None else Colour.GOOD
    steps = [d.Threshold(value=None, color=base.value)]
    if panel.limit is not None:
        steps.append(d.Threshold(value=panel.limit, color=panel.limit_colour.value))
    return dashboard.ThresholdsConfig().mode(d.ThresholdsMode.ABSOLUTE).steps(steps)


def _graph(panel: Panel) -> timeseries.Panel:
    box = (
        timeseries.Panel()
        .legend(common.VizLegendOptions().display_mode(c.LegendDisplayMode.LIST).placement(c.LegendPlacement.BOTTOM).show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING))
        .min(0)
        .line_width(2)
        .fill_opacity(60 if panel.view is View.STACK else 8)
    )
    if panel.view is View.STACK:
        box = box.stacking(common.StackingConfig().mode(c.StackingMode.NORMAL).group("A"))
    if panel.limit is not None:
        line = common.GraphThresholdsStyleConfig().mode(c.GraphTresholdsStyleMode.DASHED)
        box = box.thresholds_style(line).axis_soft_max(panel.limit * 1.1)
    return box if panel.maximum is None else box.max(panel.maximum)


def _number(panel: Panel) -> stat.Panel:
    mode = c.BigValueColorMode.VALUE
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    return stat.Panel().color_mode(mode).graph_mode(c.BigValueGraphMode.AREA).reduce_options(reduced).mappings(_mappings(panel))


def _states(panel: Panel) -> statetimeline.Panel:
    return statetimeline.Panel().mappings(_mappings(panel)).merge_values(True).show_value(c.VisibilityMode.AUTO).line_width(0)


def _mappings(panel: Panel) -> list[Any]:
    words = {
        str(value): d.ValueMappingResult(text=state.word, color=state.colour.value, index=place)
        for place, (value, state) in enumerate(panel.states.items())
    }
    return [d.ValueMap(options=words)] if words else []


def _table(panel: Panel) -> table.Panel:
    order = {name: place for place, name in enumerate(panel.columns)}
    hidden = {"Time": True} | ({} if "Value" in panel.columns else {"Value": True})
    arranged = {"excludeByName": hidden, "indexByName": order, "renameByName": dict(panel.columns)}
    return table.Panel().show_header(True).with_transformation(d.DataTransformerConfig(id_val="organize", options=arranged))
