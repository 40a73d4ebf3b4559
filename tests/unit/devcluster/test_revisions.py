"""How KServe splits traffic between Knative's revisions, and what it calls rolled out."""

from typing import Any

from headgate_devcluster.kserve.revisions import Revision, Target, latest_ready, rolled_out, targets, traffic

ADDRESS = {"prev": "http://prev", "latest": "http://latest"}


def split(percent: int | None, before: str, ready: str) -> list[dict[str, Any]]:
    return traffic(targets(percent, before, tagged=False), ready, ADDRESS)


def test_before_anything_was_rolled_out_a_percentage_is_silently_all() -> None:
    assert targets(10, "", tagged=False) == [Target(100)]


def test_no_percentage_is_all() -> None:
    assert targets(None, "r1", tagged=False) == [Target(100)]


def test_the_rest_goes_to_the_revision_rolled_out_last_under_the_tag_prev() -> None:
    assert targets(10, "r1", tagged=True) == [Target(10, tag="latest"), Target(90, "r1", "prev")]
    assert targets(100, "r1", tagged=False) == [Target(100)]


def test_while_no_revision_is_ready_there_is_no_traffic() -> None:
    assert split(None, "", "") == []


def test_latest_means_the_newest_ready_one_and_never_falls_back() -> None:
    found = [Revision("r1", 1, "a", ready=True), Revision("r2", 2, "b"), Revision("r3", 3, "c")]
    assert latest_ready(found, "") == "r1"
    assert latest_ready(found, "r2") == "r2"


def test_all_traffic_on_the_latest_ready_revision_rolls_it_out() -> None:
    before = {"latestRolledoutRevision": "r1"}
    after = {"latestRolledoutRevision": "r2", "previousRolledoutRevision": "r1"}
    assert rolled_out(before, split(100, "r1", "r2"), "r2", "r2") == after
    assert rolled_out(after, split(100, "r2", "r2"), "r2", "r2") == after


def test_a_share_rolls_nothing_out() -> None:
    before = {"latestRolledoutRevision": "r1"}
    assert rolled_out(before, split(99, "r1", "r2"), "r2", "r2") == before


def test_a_percentage_below_100_without_a_new_revision_brings_the_previous_one_back() -> None:
    before = {"latestRolledoutRevision": "r2", "previousRolledoutRevision": "r1"}
    after = {"latestRolledoutRevision": "r1", "previousRolledoutRevision": "r1"}
    assert rolled_out(before, split(0, "r2", "r2"), "r2", "r2") == after


def test_with_a_new_revision_on_its_way_the_same_percentage_changes_nothing() -> None:
    before = {"latestRolledoutRevision": "r2", "previousRolledoutRevision": "r1"}
    assert rolled_out(before, split(0, "r2", "r2"), "r2", "r3") == before
