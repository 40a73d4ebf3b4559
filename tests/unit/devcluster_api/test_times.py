"""Events and Leases: the strict times and required fields that a client gets wrong once in a million writes."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.builtin import CORE_EVENTS
from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.event_forms import in_version
from headgate_devcluster.apiserver.objects import Object


def event(**fields: Any) -> Object:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "ml"},
        "eventTime": "2026-01-01T00:00:00.000001Z",
        "reportingController": "headgate",
        "reportingInstance": "headgate-0",
        "action": "Roll",
        "reason": "Promoted",
        "type": "Normal",
        "note": "done",
        "regarding": {"kind": "ConfigMap", "name": "c", "namespace": "ml"},
        **fields,
    }


def lease(**spec: Any) -> Object:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l", "namespace": "ml"}, "spec": spec}


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.1234567Z", "2026-01-01", "x"])
@pytest.mark.parametrize(
    "make", [lambda time: event(eventTime=time), lambda time: lease(renewTime=time), lambda time: lease(acquireTime=time)]
)
def test_a_micro_time_needs_exactly_six_digits(api: Any, make: Any, time: str) -> None:
    with pytest.raises(Refusal, match=f'parsing time "{time}" as "2006-01-02T15:04:05.000000Z07:00"') as refusal:
        api.create(make(time))
    assert refusal.value.code == 400


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.123456+01:00"])
def test_a_micro_time_with_six_digits_is_taken(api: Any, time: str) -> None:
    assert api.create(lease(renewTime=time))["spec"]["renewTime"] == time


@pytest.mark.parametrize("missing", ["eventTime", "reportingController", "reportingInstance", "action", "reason"])
def test_an_event_needs_its_fields(api: Any, missing: str) -> None:
    with pytest.raises(Refusal, match=f"{missing}: Required value") as refusal:
        api.create(event(**{missing: None}))
    assert refusal.value.code == 422


@pytest.mark.parametrize(
    "wrong",
    [{"type": "Error"}, {"note": "x" * 1025}, {"regarding": {}}, {"series": {"count": 1}}, {"reason": "x" * 129}],
)
def test_an_event_with_a_wrong_field_is_invalid(api: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        api.create(event(**wrong))
    assert refusal.value.code == 422


def test_an_event_can_only_be_counted_again(api: Any) -> None:
    created = api.create(event())
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}
    assert api.patch(created, lambda seen: seen | {"series": series})["series"] == series
    with pytest.raises(Refusal, match=r"note: .*field is immutable"):
        api.patch(created, lambda seen: seen | {"note": "other"})


def test_an_event_is_read_in_both_forms(api: Any) -> None:
    core = in_version(api.create(event()), CORE_EVENTS)
    assert core["apiVersion"] == "v1"
    assert (core["involvedObject"]["name"], core["message"], core["reportingComponent"]) == ("c", "done", "headgate")


def test_an_event_written_in_the_core_form_is_read_in_the_other(api: Any) -> None:
    core = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "ml"}, "reason": "R", "message": "m", "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "ml"}, "count": 3, "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    api.create(core)
    stored = api.get(event())
    assert (stored["note"], stored["regarding"]["name"], stored["deprecatedCount"]) == ("m", "p", 3)


@pytest.mark.parametrize("wrong", [{"leaseDurationSeconds": 0}, {"leaseTransitions": -1}, {"holderIdentity": ""}])
def test_a_lease_with_a_wrong_field_is_invalid(api: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        api.create(lease(**wrong))
    assert refusal.value.code == 422


def test_a_lease_is_never_replaced_without_its_version(api: Any) -> None:
    created = api.create(lease(holderIdentity="a"))
    with pytest.raises(Refusal, match="must be specified for an update"):
        api.replace(lease(holderIdentity="b"))
    assert api.replace(created | {"spec": {"holderIdentity": "b"}})["spec"]["holderIdentity"] == "b"
    with pytest.raises(Refusal, match="the object has been modified"):
        api.replace(created | {"spec": {"holderIdentity": "c"}})
