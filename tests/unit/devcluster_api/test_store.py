"""The index by label says what a look at every object would."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_devcluster.apiserver.reads import ListOptions, page
from headgate_devcluster.apiserver.store import Store
from tests.unit.devcluster_api.conftest import WIDGETS

LABELS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]))
WRITES = st.lists(st.tuples(st.sampled_from(["ml", "other"]), st.sampled_from(["p", "q", "r"]), st.none() | LABELS), max_size=20)


def widget(namespace: str, name: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}", "labels": labels}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}


@settings(deadline=None)
@given(writes=WRITES, namespace=st.sampled_from([None, "ml", "other"]))
def test_a_list_by_label_finds_what_has_the_label_now(writes: list[tuple[str, str, Any]], namespace: str | None) -> None:
    store, present = Store(), dict[tuple[str, str], dict[str, str]]()
    for place, name, labels in writes:
        if labels is not None:
            store.put(WIDGETS.storage, widget(place, name, labels))
            present[place, name] = labels
        elif present.pop((place, name), None) is not None:
            store.remove(WIDGETS.storage, (place, name))
    for selector, matches in (
        ("a=x", lambda labels: labels.get("a") == "x"),
        ("b!=y,a==y", lambda labels: labels.get("b") != "y" and labels.get("a") == "y"),
        ("a", lambda labels: "a" in labels),
    ):
        listed = page(store, WIDGETS, namespace, ListOptions(label_selector=selector)).items
        found = [(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in listed]
        assert found == sorted(key for key, labels in present.items() if matches(labels) and namespace in {None, key[0]})
