from __future__ import annotations

import dataclasses
import io
import json

import pytest
from rich.console import Console

from reports import artifacts, pages, verdicts
from reports.tracker.rows import claims_tags
from search.claims import Finding
from search.history import History
from search.ledger import Ledger
from tests.reports import studies

FINDING = Finding(
    says="Averages <forget> less.",
    source="arXiv:2411.18704",
    measured="median of the gain in forgetting over the student",
    verdict="agrees",
    figure=0.12345,
    low=0.1,
    high=0.15,
    candidates=24,
    students=12,
)
SAID = """claims:
  - {kind: better, source: "arXiv:0", says: Averaging <pays>., these: {averager: ema}, those: {averager: student}}
"""


def printed(*findings):
    console = Console(file=io.StringIO(), width=200)
    verdicts.render(findings, console)
    return console.file.getvalue()


def test_a_finding_in_words():
    assert printed(FINDING).splitlines() == [
        "claim (arXiv:2411.18704): Averages <forget> less.",
        (
            "  agrees: median of the gain in forgetting over the student 0.123 [0.1, 0.15]; "
            "24 candidates of 12 students"
        ),
    ]
    assert printed() == ""


def test_nothing_measured_is_said():
    none = dataclasses.replace(FINDING, verdict="undecided", figure=None, low=None, high=None)
    assert "undecided: " in printed(none) and "not measured: too few students" in printed(none)


def test_a_section_of_the_page():
    (title, _, table) = verdicts.section([FINDING])
    assert verdicts.TITLE in title
    assert "Averages &lt;forget&gt; less." in table and "<td class='agrees'>agrees</td>" in table
    assert verdicts.section([]) == []


@pytest.fixture
def study(tmp_path):
    events = [studies.opened(studies.TEXT + SAID), *studies.small_events()[1:]]
    with Ledger.create(tmp_path / "study", events[0]) as ledger:
        ledger.append(*events[1:])
    return tmp_path / "study"


def test_the_page_and_the_files_tell_the_verdicts(study, tmp_path):
    artifacts.write(study, tmp_path / "out")
    (told,) = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert told["says"] == "Averaging <pays>." and told["verdict"] == "undecided"
    assert verdicts.TITLE in (tmp_path / "out" / "front.html").read_text()


def test_a_study_without_claims_has_no_such_section():
    history = studies.small()
    assert verdicts.TITLE not in pages.page(history, studies.study_of(history))


def test_mlflow_is_told_each_verdict():
    history = History.of(
        [studies.opened(studies.TEXT + SAID), *studies.small_events()[1:]],
    )
    tags = claims_tags(history, studies.study_of(history))
    assert list(tags) == ["equipoise.claim.0"]
    assert tags["equipoise.claim.0"].startswith("undecided: ")
    assert "(arXiv:0: Averaging <pays>.)" in tags["equipoise.claim.0"]
