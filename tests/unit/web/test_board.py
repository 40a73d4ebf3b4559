"""The board keeps what pages show, and no more than it may."""

from headgate_operator.api.status import Phase
from headgate_operator.pages.deployment import Told
from headgate_operator.web.board import MOST_TOLD, Board
from headgate_operator.web.slim import compressed, packed, unpacked
from tests.webview import CANDIDATE, at, at_rest, canary, fleet, rollout

KEY = ("ml", "flight-delay")


def told(number: int, message: str = "x") -> Told:
    return Told(at=at(number), reason="StepStarted", message=message, warning=False)


def test_an_object_is_shown_as_its_last_look_left_it() -> None:
    board = Board()
    rollout(board, looks=40)
    shown = board.shown(KEY)
    assert shown is not None
    assert (shown.status.phase, shown.steps, shown.seen_at) == (Phase.PROGRESSING, 3, at(195))
    assert [one.reason for one in shown.told] == ["StepStarted", "StepStarted", "CandidateStarted"], "the newest first"
    assert shown.samples[-1].weights[CANDIDATE] == 25
    assert [row.name for row in board.rows()] == ["flight-delay"]


def test_a_status_is_kept_without_what_no_page_shows() -> None:
    kept = unpacked(compressed(packed(canary())))
    assert kept.candidate is not None
    assert kept.candidate.rendered.inference_service == {}
    assert kept.history[0].rendered.serving_runtime == {}
    assert kept.rejected == canary().rejected
    assert len(compressed(packed(canary()))) < 1500


def test_every_look_that_shows_something_new_has_a_version_of_its_own() -> None:
    board, versions = Board(), set()
    for look in range(3):
        board.saw(KEY, canary(evidence=look), at=at(look), steps=3)
        versions.add(board.version_of(KEY))
    board.failed(KEY, "the API server is gone")
    versions.add(board.version_of(KEY))
    assert len(versions) == 4
    shown = board.shown(KEY)
    assert shown is not None
    assert shown.trouble == "the API server is gone"
    board.saw(KEY, canary(evidence=2), at=at(9), steps=3)
    shown = board.shown(KEY)
    assert shown is not None
    assert shown.trouble == ""


def test_what_is_gone_is_forgotten_with_its_past() -> None:
    board = Board()
    rollout(board)
    board.forget(KEY)
    board.forget(KEY)
    board.failed(KEY, "too late")
    assert (len(board), board.past, board.shown(KEY), board.version_of(KEY)) == (0, 0, None, None)


def test_the_past_of_all_objects_together_is_bounded_and_the_quietest_lose_theirs_first() -> None:
    board = Board(past_bytes=100_000)
    for number in range(12):
        rollout(board, ("ml", f"m{number}"), looks=50)
        assert board.past <= 100_000
    first, last = board.shown(("ml", "m0")), board.shown(("ml", "m11"))
    assert first is not None
    assert last is not None
    assert (len(first.samples), len(first.told)) == (1, 0)
    assert len(last.samples) > 40
    assert first.status.phase is Phase.PROGRESSING, "how things stand is never given up"
    assert board.past == sum(record.past for record in board._records.values())


def test_one_object_that_says_much_is_bounded_by_itself() -> None:
    board = Board()
    for number in range(200):
        board.saw(KEY, at_rest(), at=at(number), steps=3, told=[told(number)])
    shown = board.shown(KEY)
    assert shown is not None
    assert [one.at for one in shown.told] == [at(number) for number in reversed(range(200 - MOST_TOLD, 200))]


def test_only_those_that_are_there_stay() -> None:
    board = Board()
    fleet(board, 5)
    board.keep_only([("team-1", "model-0001")])
    assert [row.name for row in board.rows()] == ["model-0001"]
