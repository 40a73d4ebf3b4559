"""Flux, and whatever else reads kstatus, sees a rollout for what it is."""

from tests.kstatus import kstatus


def test_kstatus(situation, there, stored):
    assert kstatus(stored(there)) == situation.kstatus


def test_an_object_that_is_being_deleted_is_terminating(there, stored):
    obj = stored(there)
    obj["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    assert kstatus(obj) == "Terminating"


def test_never_both_reconciling_and_stalled_and_neither_is_ever_false(there, stored):
    """The conditions are there only while they are true: whoever waits for their absence is not fooled."""
    conditions = {entry["type"]: entry["status"] for entry in stored(there)["status"].get("conditions", ())}
    assert not {"Reconciling", "Stalled"} <= set(conditions)
    assert all(conditions.get(kind, "True") == "True" for kind in ("Reconciling", "Stalled"))


def test_ready_says_whether_clients_are_served_whatever_the_rollout_does(situation, there, stored):
    """`kubectl wait --for=condition=Ready` ends at once for a model that serves, also when its new version was refused."""
    obj = stored(there)
    ready = next((entry for entry in obj["status"].get("conditions", ()) if entry["type"] == "Ready"), {"status": "False"})
    stable = obj["status"].get("stable", {}).get("isvc")
    serves = stable is not None and there.pods[stable].available > 0 and bool(obj["status"].get("traffic"))
    assert ready["status"] == str(serves), situation
