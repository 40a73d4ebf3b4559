"""Every alert fires when it should and not when it should not, by promtool; and leads to a section of the runbook."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from headgate_devcluster.dashboards.panel import RUNBOOK
from headgate_devcluster.dashboards.rules import groups
from tests.dashboards import slug

ROOT: Final = Path(__file__).parents[3]
RULES: Final = ROOT / "manifests" / "alerts" / "rules"
CASES: Final = ROOT / "tests" / "fixtures" / "alerts"
PROMTOOL: Final = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on the PATH (Debian: apt-get install prometheus)")
FILES: Final = sorted(path.name for path in RULES.glob("*.yaml"))
Object = dict[str, Any]


def alerts() -> dict[str, Object]:
    return {rule["alert"]: rule for group in groups(RULES) for rule in group["rules"] if "alert" in rule}


def cases(file: str) -> list[Object]:
    found: list[Object] = yaml.safe_load((CASES / file).read_text())
    return found


def promtool(*args: str) -> str:
    done = subprocess.run([str(PROMTOOL), *args], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expected(case: Object, rule: Object) -> Object:
    """The alert with all its labels and words; those that are templates are said by the case."""
    labels = {key: value for key, value in rule["labels"].items() if key != "team"} | case["fires"]
    words = {key: value for key, value in rule["annotations"].items() if key in ("description", "runbook_url")}
    contact = {"contact": case.get("contact", "")} if "contact" in rule["annotations"] else {}
    return {"exp_labels": labels, "exp_annotations": words | {"summary": case["summary"]} | contact}


def step(case: Object) -> str:
    """From one value of a series to the next, and from one look to the next; what takes days takes longer steps."""
    return str(case.get("step", "1m"))


def as_test(case: Object) -> Object:
    """What promtool is given for one case."""
    fired = [expected(case, alerts()[case["alert"]])] if "fires" in case else []
    return {
        "name": f"{case['alert']}: {case.get('quiet', 'fires')}",
        "interval": step(case),
        "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
        "alert_rule_test": [{"eval_time": case["at"], "alertname": case["alert"], "exp_alerts": fired}],
    }


@needs_promtool
@pytest.mark.parametrize("file", FILES)
def test_alerts_fire_when_they_should_with_these_words_and_not_when_they_should_not(file: str, tmp_path: Path) -> None:
    promtool("check", "rules", str(RULES / file))
    for each in {step(case) for case in cases(file)}:
        tests = [as_test(case) for case in cases(file) if step(case) == each]
        content = {"rule_files": [str(RULES / file)], "evaluation_interval": each, "tests": tests}
        (tmp_path / f"{each}.yaml").write_text(yaml.safe_dump(content))
    promtool("test", "rules", *map(str, tmp_path.glob("*.yaml")))


@needs_promtool
def test_a_case_that_is_not_so_is_found(tmp_path: Path) -> None:
    case = next(case for case in cases("operator.yaml") if "quiet" in case)
    wrong = as_test(case | {"fires": {}, "summary": "?"})
    written = tmp_path / "wrong.yaml"
    written.write_text(yaml.safe_dump({"rule_files": [str(RULES / "operator.yaml")], "evaluation_interval": "1m", "tests": [wrong]}))
    with pytest.raises(AssertionError, match="HeadgateOperatorDown"):
        promtool("test", "rules", str(written))


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    found = defaultdict(set)
    for file in FILES:
        for case in cases(file):
            found[case["alert"]].add("fires" if "fires" in case else "quiet")
    assert found == {name: {"fires", "quiet"} for name in alerts()}


def test_every_alert_says_how_bad_it_is_what_happened_and_leads_to_a_section_of_the_runbook() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    sections = {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, name
        assert (
            {"summary", "description", "runbook_url"} <= rule["annotations"].keys() <= {"summary", "description", "runbook_url", "contact"}
        )
        page, _, section = rule["annotations"]["runbook_url"].partition("#")
        assert page == RUNBOOK
        assert section in sections, name
        assert ("contact" in rule["annotations"]) == ("team" in rule["labels"]), name
    linked = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in alerts().values()}
    assert {section for section in sections if section.startswith("alert-")} <= linked, "a section for no alert"


def test_every_section_about_an_alert_says_what_it_means_what_headgate_does_and_what_a_person_does() -> None:
    about_alerts = (ROOT / "docs" / "runbook.md").read_text().partition("\n# Alerts\n")[2]
    for section in about_alerts.split("\n## ")[1:]:
        for part in ("**Meaning.** ", "**Headgate.** ", "**You.** "):
            assert section.count(part) == 1, section.partition("\n")[0]


def test_who_owns_a_model_is_looked_up_alike_in_every_file() -> None:
    lookups = {
        (key, re.sub(r"labels\.(name|deployment)", "labels.NAME", text))
        for rule in alerts().values()
        for key, text in ({"team": rule["labels"].get("team"), "contact": rule["annotations"].get("contact")}).items()
        if text is not None
    }
    assert sorted(key for key, _ in lookups) == ["contact", "team"]
