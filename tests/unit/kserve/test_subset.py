"""Whether a write would change anything."""

import pytest

from headgate_operator.kserve.subset import is_subset

SAME = [
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": {"b": []}}, {"a": {}}),
    ({"a": None}, {}),
    ({"a": {}}, {}),
    ({"env": [{"name": "PROXY", "value": ""}]}, {"env": [{"name": "PROXY"}]}),
    ({"a": [{"b": 1}, {"c": 2}]}, {"a": [{"b": 1, "x": 0}, {"c": 2, "weight": 1}]}),
    ({"resources": {"limits": {"cpu": 1, "memory": "1024Mi"}}}, {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}),
    ({"resources": {"requests": {"cpu": "0.5"}}}, {"resources": {"requests": {"cpu": "500m", "memory": "2Gi"}}}),
    ({"env": [{"name": "B", "value": "2"}]}, {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}),
    ({"ownerReferences": [{"uid": "u"}]}, {"ownerReferences": [{"uid": "v"}, {"uid": "u", "kind": "K"}]}),
]
DIFFERENT = [
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {}),
    ({"a": 0}, {}),
    ({"a": False}, {}),
    ({"a": ""}, {"a": "x"}),
    ({"a": 1}, {"a": True}),
    ({"a": 1}, {"a": "1"}),
    ({"a": {"b": 1}}, {"a": 1}),
    ({"a": [1]}, {"a": [1, 2]}),
    ({"a": [1, 2]}, {"a": [2, 1]}),
    ({"a": []}, {"a": [1]}),
    ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "1100m"}}}),
    ({"resources": {"limits": {"cpu": "1", "nvidia.com/gpu": 1}}}, {"resources": {"limits": {"cpu": "1"}}}),
    ({"resources": {"limits": {"cpu": "one"}}}, {"resources": {"limits": {"cpu": "1"}}}),
    ({"env": [{"name": "B", "value": "2"}]}, {"env": [{"name": "B", "value": "3"}]}),
]


@pytest.mark.parametrize(("desired", "observed"), SAME)
def test_what_is_there_needs_no_write(desired, observed):
    assert is_subset(desired, observed)


@pytest.mark.parametrize(("desired", "observed"), DIFFERENT)
def test_what_differs_is_written(desired, observed):
    assert not is_subset(desired, observed)
