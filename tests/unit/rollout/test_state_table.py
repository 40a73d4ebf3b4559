"""The table of states in docs/concepts.md. No pass in any test with a world may contradict it (rolloutinvariants.py)."""

from headgate_operator.api.status import Phase
from tests.statetable import contradictions, states


def test_the_table_has_every_phase_once_in_the_order_of_the_code() -> None:
    assert list(states()) == list(Phase)


def test_a_status_that_contradicts_the_table_is_found(serving) -> None:
    assert contradictions(serving.status) == []
    wrong = serving.status.model_copy(update={"phase": Phase.STALLED})
    assert contradictions(wrong) == [
        "Stalled: Stalled is absent, the table says True",
    ]
