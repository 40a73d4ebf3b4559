"""Names of versions fit wherever KServe puts them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate_operator.kserve.names import NamespaceTooLongError, child_name, longest_child_name, predictor_host

LABELS = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
NAMESPACES = st.from_regex(r"[a-z]([-a-z0-9]{0,40}[a-z0-9])?", fullmatch=True)


@given(name=LABELS, namespace=NAMESPACES)
def test_every_name_kserve_derives_from_a_child_is_a_valid_label(name, namespace):
    child = child_name(name, "r3f9a1c02", namespace)
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", child)
    assert len(f"{child}-predictor-{namespace}") <= 63
    assert len(f"isvc.{child}-predictor") <= 63


def test_names_that_begin_alike_do_not_collide():
    names = {child_name("a" * 40 + end, revision, "n" * 40) for end in "bc" for revision in ("r00000001", "r00000002")}
    assert len(names) == 4


def test_a_name_is_always_the_same():
    assert child_name("flight-delay", "r3f9a1c02", "ml") == "flight-delay-2400de94"


def test_a_namespace_without_room_is_refused_in_words():
    assert child_name("flight-delay", "r3f9a1c02", "n" * 42).startswith("f-")
    with pytest.raises(NamespaceTooLongError, match="at most 42 are possible"):
        child_name("flight-delay", "r3f9a1c02", "n" * 43)


def test_the_limit_is_the_one_of_the_pod_label_in_short_namespaces():
    assert longest_child_name("ml") == 48
    assert longest_child_name("n" * 10) == 42


def test_the_host_of_a_version_is_its_predictor_service():
    assert predictor_host("a-1", "ml") == "a-1-predictor.ml.svc.cluster.local"
