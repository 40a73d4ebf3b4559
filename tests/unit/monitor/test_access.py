"""The monitor's token: where it comes from, and what it admits."""

from pathlib import Path

import pytest

from headgate_monitor.service.access import AccessError, Token, token


def test_a_rotated_token_is_used_and_an_unreadable_file_keeps_the_last(tmp_path: Path) -> None:
    now, file = [0.0], tmp_path / "token"
    file.write_text("one")
    kept = Token(file.read_text, lambda: now[0])
    for content, admitted in (("two\n", "two"), (None, "two"), ("", "two"), ("three", "three")):
        now[0] += 10
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_text(content)
        assert kept.admits(f"bearer {admitted}")
        assert not kept.admits("bearer one")
        assert not kept.admits("Bearer ")


@pytest.mark.parametrize("content", ["", " \n", "two words", "user:password", "schlüssel"])
def test_what_is_no_token_is_refused_at_the_start(content: str) -> None:
    with pytest.raises(AccessError, match="one word of printable ASCII"):
        token(None, content)


def test_two_sources_of_a_token_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="not both"):
        token(tmp_path / "token", "other")
    with pytest.raises(AccessError, match="No such file"):
        token(tmp_path / "token", None)
    assert token(None, None) is None
