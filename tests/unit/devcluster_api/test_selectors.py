"""Label and field selectors."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.builtin import CORE_EVENTS
from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.selectors import field_matcher, label_matcher


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=a", True),
        ("app==a", True),
        ("app = b", False),
        ("app!=b", True),
        ("missing!=b", True),
        ("app in (x, a)", True),
        ("app notin (x,a)", False),
        ("missing notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("example.com/model-deployment=m,app in (a,b),!missing", True),
        ("empty=", True),
    ],
)
def test_label_selectors(selector: str, matches: bool) -> None:
    obj = {"metadata": {"labels": {"app": "a", "example.com/model-deployment": "m", "empty": ""}}}
    assert label_matcher(selector)(obj) is matches


@pytest.mark.parametrize("selector", ["a=b=c", "a in b", "(", "a b"])
def test_a_label_selector_that_cannot_be_read_is_a_bad_request(selector: str) -> None:
    with pytest.raises(Refusal) as refusal:
        label_matcher(selector)
    assert refusal.value.code == 400


def test_field_selectors(widgets: Any) -> None:
    obj = {"metadata": {"name": "w", "namespace": "ml"}}
    assert field_matcher("metadata.name=w,metadata.namespace!=x", widgets)(obj)
    assert not field_matcher("metadata.name=v", widgets)(obj)


def test_events_are_selected_by_what_they_are_about() -> None:
    obj = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "uid": "1"}, "source": {"component": "kubelet"}}
    assert field_matcher("involvedObject.kind=Pod,involvedObject.uid=1,source=kubelet", CORE_EVENTS)(obj)


def test_other_fields_of_custom_resources_cannot_be_selected_by(widgets: Any) -> None:
    with pytest.raises(Refusal, match=r"field label not supported: spec\.size"):
        field_matcher("spec.size=1", widgets)
