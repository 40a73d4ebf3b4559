from pathlib import Path

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.pod_logs import tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "pod.log"
    path.write_text("one\ntwo\nthree\n")
    return path


@pytest.mark.parametrize(("lines", "text"), [("", b"one\ntwo\nthree\n"), ("2", b"two\nthree\n"), ("0", b""), ("9", b"one\ntwo\nthree\n")])
def test_a_log_is_read_from_its_end(log: Path, lines: str, text: bytes) -> None:
    assert tail(log, {"tailLines": lines}) == text


def test_a_pod_that_wrote_nothing_has_an_empty_log(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log", {}) == b""


@pytest.mark.parametrize(
    ("query", "sentence"),
    [({"previous": "true"}, "keeps one log for all runs of a Pod; it is in "), ({"tailLines": "-3"}, '"-3" is not a number of lines')],
)
def test_what_it_cannot_do_is_refused_in_words(log: Path, query: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        tail(log, query)
