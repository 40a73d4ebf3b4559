"""Golden outputs against answers: what agrees, what does not, and with which numbers it is said."""

import pytest

from headgate_operator.api.spec import Protocol, Tolerance
from headgate_operator.rollout.parity import difference

GOLDEN = {"probability": [0.1, 0.5, 0.9]}


def v2(values, name="probability"):
    return {"outputs": [{"name": name, "shape": [len(values)], "datatype": "FP64", "data": values}]}


def compare(answer, golden=GOLDEN, protocol=Protocol.V2, tolerance=None):
    return difference(answer, golden, protocol=protocol, tolerance=tolerance or Tolerance())


def test_equal_answers_agree_in_both_protocols():
    assert compare(v2([0.1, 0.5, 0.9])) is None
    assert compare({"predictions": [{"probability": value} for value in GOLDEN["probability"]]}, protocol=Protocol.V1) is None


def test_differences_within_the_tolerance_agree():
    assert compare(v2([0.10001, 0.50005, 0.90009])) is None
    assert compare(v2([0.1, 0.5, 0.9002]), tolerance=Tolerance(absolute=0, relative=0.0001)) is not None


def test_a_difference_is_told_with_rows_and_numbers():
    said = compare(v2([0.1, 0.6, 0.62]))
    assert said == "probability differs in 2 of 3 rows; the largest difference is 0.28 at row 2 (0.62 instead of 0.9)"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (v2([0.1, 0.5]), "probability has 2 rows instead of 3"),
        (v2([0.1, float("nan"), 0.9]), "probability is not a finite number in 1 of 3 rows, first nan at row 1"),
        (v2([0.1, None, "x"]), "probability is not a finite number in 2 of 3 rows, first None at row 1"),
        (v2([0.1, True, 0.9]), "probability is not a finite number in 1 of 3 rows, first True at row 1"),
        (v2([0.1, 10**400, 0.9]), f"probability is not a finite number in 1 of 3 rows, first {str(10**400)[:39]}… at row 1"),
        (v2([0.1, 0.5, 0.9], name="score"), "the answer has no output probability"),
        ({"outputs": "nonsense"}, "the answer is not a v2 inference response with the output probability"),
        ([], "the answer is not a v2 inference response with the output probability"),
        (None, "the answer is not a v2 inference response with the output probability"),
        ({"outputs": [{"name": "probability", "data": 3}]}, "the answer is not a v2 inference response with the output probability"),
    ],
)
def test_answers_of_another_shape_are_differences_too(answer, said):
    assert compare(answer) == said


def test_a_v1_answer_without_the_output_is_a_difference():
    assert compare({"predictions": [0.1, 0.5, 0.9]}, protocol=Protocol.V1) == (
        "the answer is not a v1 inference response with the output probability"
    )


def test_a_golden_set_without_outputs_proves_nothing():
    assert compare(v2([0.1]), golden={}) == "the golden set has no outputs"
