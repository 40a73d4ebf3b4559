"""`headgate evidence`: the numbers of the published vectors, and the operator's own verdicts."""

import json
import math

import pytest
import yaml

# (candidate, stable), log f over the grid without tolerance, log of their mean
VECTORS = [
    (("10/1", "90/0"), (0.3567, 0.5978, 0.9163, 1.2730, 1.6607, 2.0402, 2.2164), 1.5024),
    (("10/0", "90/1"), (-0.0488, -0.0953, -0.1823, -0.3365, -0.6419, -1.3610, -2.3888), -0.4911),
    (("10/4", "90/0"), (1.4279, 2.3958, 3.6801, 5.1358, 6.7651, 8.4764, 9.3612), 7.8252),
    (("10/2", "90/3"), (0.5690, 0.9172, 1.3104, 1.6091, 1.5981, 0.5276, -1.8824), 1.0380),
    (("50/5", "50/1"), (0.6945, 1.0499, 1.3725, 1.5242, 1.3891, 0.6991, -0.3537), 1.0559),
    (("200/6", "800/9"), (1.0066, 1.4357, 1.5788, 0.9228, -1.4541, -8.0355, -17.5028), 0.7309),
]


def data(headgate, *args):
    result = headgate("evidence", *args, "-o", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(("counts", "factors", "mixture"), VECTORS)
def test_the_published_vectors_are_met_to_four_digits(headgate, counts, factors, mixture) -> None:
    (block,) = data(headgate, *counts, "--tolerate", "1")["blocks"]
    assert block["logFactors"] == pytest.approx(factors, abs=6e-5)
    assert block["uncapped"] == pytest.approx(mixture, abs=6e-5)
    for factor, capped in zip(block["logFactors"], block["logFactorsCapped"], strict=True):
        assert min(factor, math.log(3)) - 1e-9 <= capped <= math.log(3) + 1e-9
    assert block["capped"] == pytest.approx(math.log(sum(map(math.exp, block["logFactorsCapped"])) / 7))


def test_the_table_shows_the_published_numbers(headgate) -> None:
    result = headgate("evidence", "10/1", "90/0", "--tolerate", "1")
    rows = [line.split()[:11] for line in result.stdout.splitlines()]
    assert ["1", "10/1", "90/0", "0.3567", "0.5978", "0.9163", "1.2730", "1.6607", "2.0402", "2.2164", "1.5024"] in [
        row[:11] for row in rows
    ]


def test_evidence_grows_block_by_block_from_half_the_capital(headgate) -> None:
    sheet = data(headgate, "10/1", "90/0", "10/4", "90/0", "--tolerate", "1")
    after_one = math.log((1 + math.exp(sheet["blocks"][0]["capped"])) / 2)
    assert sheet["blocks"][0]["evidence"] == pytest.approx(after_one)
    components = [0.0] * 7
    for block in sheet["blocks"]:
        components = [total + factor for total, factor in zip(components, block["logFactorsCapped"], strict=True)]
    mean = sum(math.exp(component) for component in components) / 7
    assert sheet["total"]["evidence"] == sheet["blocks"][1]["evidence"] == pytest.approx(math.log((1 + mean) / 2))
    assert sheet["total"]["evidenceUncapped"] > sheet["total"]["evidence"]


def test_metrics_share_the_false_rollback_rate(headgate) -> None:
    bounds = [data(headgate, "10/1", "90/0", "--metrics", count, "--false-rollback-rate", "2%")["total"]["bound"] for count in (1, 4)]
    assert bounds == pytest.approx([math.log(50), math.log(200)])


@pytest.mark.parametrize(
    ("args", "verdict", "words"),
    [
        (["10/3", "90/0"] * 6, "Worse", "30.0% of 60 requests failed, 0.0% of 540 to stable; evidence"),
        (["100/0", "900/0"] * 3, "NotWorse", "promotion evidence"),
        (["100/0", "900/0"] * 3 + ["--promotion-confidence", "99.9%"], "Undecided", "more candidate requests until a decision"),
        (["100/2", "900/18"] * 9 + ["--maximum", "10%"], "NotWorse", "2.0% of 900 requests failed"),
        (["10/10", "90/0"] * 2, "AllFailing", "all of the last 20 requests failed, over 2 blocks"),
        (["10/3", "90/9"] * 6 + ["--tolerate", "10"], "Undecided", "30.0% of 60 requests failed"),
    ],
    ids=["worse", "good enough", "not sure enough", "below the maximum", "hard failure", "tolerated"],
)
def test_the_verdict_is_the_operators(headgate, args, verdict, words) -> None:
    total = data(headgate, *args)["total"]
    assert total["verdict"] == verdict
    assert words in total["message"]


def test_what_is_still_needed_is_told_while_nothing_is_decided(headgate) -> None:
    total = data(headgate, "10/1", "90/0")["total"]
    assert total["requestsNeeded"] > 0
    assert f"about {total['requestsNeeded']} more candidate requests" in total["message"]


def test_a_block_without_a_candidate_request_is_not_counted(headgate) -> None:
    alone, after = data(headgate, "10/1", "90/0"), data(headgate, "10/1", "90/0", "0/0", "500/40")
    assert after["blocks"][1]["counted"] is False
    assert after["total"] == alone["total"]
    assert "not counted: no candidate request" in headgate("evidence", "0/0", "500/40").stdout


def test_blocks_of_a_request_or_two_wait_for_the_next_as_they_do_in_the_operator(headgate) -> None:
    sheet = data(headgate, "1/1", "2/0", "1/0", "2/1", "1/1", "1/0")
    assert [(block["joined"], block["counted"]) for block in sheet["blocks"]] == [(2, True), (1, False)]
    assert sheet["total"] == data(headgate, "2/1", "4/1")["total"]
    assert "not counted yet" in headgate("evidence", "1/1", "2/0").stdout


def test_a_long_list_of_blocks_is_one_step_still(headgate, tmp_path) -> None:
    many = tmp_path / "many.csv"
    many.write_text("10,1,90,9\n" * 300, encoding="utf-8")
    permuted = tmp_path / "permuted.csv"
    permuted.write_text("10,0,90,0\n" + "10,1,90,9\n" * 300, encoding="utf-8")
    first, second = data(headgate, "-f", many), data(headgate, "-f", permuted)
    assert first["total"]["evidence"] == pytest.approx(second["total"]["evidence"])


def test_blocks_come_from_a_file_or_from_standard_input(headgate, tmp_path) -> None:
    text = "candidate,candidateBad,stable,stableBad\n# the first minute\n10, 1, 90, 0\n\n10,4,90,0\n"
    path = tmp_path / "blocks.csv"
    path.write_text(text, encoding="utf-8")
    expected = headgate("evidence", "10/1", "90/0", "10/4", "90/0").stdout
    assert headgate("evidence", "--file", path).stdout == expected
    assert headgate("evidence", "--file", "-", stdin=text).stdout == expected


def test_yaml_says_the_same_as_json(headgate) -> None:
    assert yaml.safe_load(headgate("evidence", "10/1", "90/0", "-o", "yaml").stdout) == data(headgate, "10/1", "90/0")


@pytest.mark.parametrize(
    ("args", "stdin", "sentence"),
    [
        ([], None, "give either counts, such as 10/1 90/0, or --file"),
        (["10/1", "90/0", "-f", "-"], "1,1,1,1", "give either counts"),
        (["10/1"], None, "an odd number of counts, 1: a block is the candidate's, then the stable version's"),
        (["ten", "90/0"], None, "'ten' is no count: write requests/bad, such as 10/1"),
        (["10/1", "90/0", "3/4", "9/0"], None, "block 2: candidate: 4 bad of 3 requests; bad must lie between 0 and the total"),
        (["99999999/1", "90/0"], None, "block 1: 100000089 requests; a block has at most 10000000"),
        (["-f", "-"], "10,1,90\n", "standard input, line 1: '10,1,90' is no block; write four whole numbers"),
        (["-f", "-"], "", "standard input: no block in it"),
        (["-f", "-"], "1,0,1,0\n" * 10_001, "10001 blocks; at most 10000"),
        (["-f", "/nowhere.csv"], None, "/nowhere.csv: cannot be read: No such file or directory"),
        (["10/1", "90/0", "--maximum", "2"], None, "'2' is not a share: write a percentage"),
        (["10/1", "90/0", "--tolerate", "0.5"], None, "0.5 is not in the range 1"),
    ],
)
def test_counts_that_are_none_are_one_sentence(headgate, args, stdin, sentence) -> None:
    result = headgate("evidence", *args, stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
