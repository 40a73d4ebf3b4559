"""What `kubectl get` prints."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headgate_devcluster.apiserver.json_paths import values
from headgate_devcluster.apiserver.resources import Column
from headgate_devcluster.apiserver.tables import age, cell, table

OBJ = {
    "metadata": {"name": "w", "annotations": {"example.com/a": "x"}},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
        "weight": 5,
        "hosts": ["a", "b"],
        "paused": False,
        "traffic": [{"latest": True, "percent": 90}],
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".status.weight", [5]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type=='Other')].status", ["False"]),
        (".status.hosts[*]", ["a", "b"]),
        (".status.hosts[0]", ["a"]),
        (".status.hosts[-1]", ["b"]),
        (".status.hosts[7]", []),
        (r".metadata.annotations.example\.com/a", ["x"]),
        (".metadata.annotations['example.com/a']", ["x"]),
        (".status.missing.deeper", []),
        ("{.status.weight}", [5]),
    ],
)
def test_json_paths(path: str, found: list[Any]) -> None:
    assert values(OBJ, path) == found


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (Column("C", "integer", ".status.weight"), 5),
        (Column("C", "string", ".status.weight"), "5"),
        (Column("C", "boolean", ".status.paused"), False),
        (Column("C", "string", ".status.paused"), "false"),
        (Column("C", "string", ".status.hosts[*]"), "a,b"),
        (Column("C", "string", ".status.hosts"), '["a","b"]'),
        (Column("C", "string", ".status.missing"), None),
        (Column("C", "string", ".status.missing", format="count"), 0),
        (Column("C", "date", ".status.missing", format="age"), "<unknown>"),
    ],
)
def test_cells(column: Column, shown: Any) -> None:
    assert cell(OBJ, column) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (119, "119s"), (125, "2m5s"), (600, "10m"), (3 * 3600 + 300, "3h5m"), (9 * 3600, "9h"), (3 * 86400, "3d"), (-50, "0s")],
)
def test_ages_are_said_as_kubectl_says_them(seconds: int, shown: str) -> None:
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    assert age(then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == shown


def test_a_table_has_the_name_and_the_columns_of_the_definition(api: Any, make_widget: Any, widgets: Any) -> None:
    found = table([api.create(make_widget())], widgets, {"resourceVersion": "1"}, "Metadata")
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Age"]
    assert found["rows"][0]["cells"][0] == "w"
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
