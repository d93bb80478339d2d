"""Three objectives, a constraint and a preference, from the study file to the page."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from reports import canvas, export, fronts, listing, pages, plots
from reports.picks import pick
from search.folders import load
from spaces.yamls import parse
from tests.oracles import fronts as oracle
from tests.search.running import TEXT, findings, finish, opened, ran

THREE = (
    TEXT.replace(
        "{plasticity: max, stability: max}",
        "{plasticity: max, stability: max, calibration_error: min}",
    )
    + 'constraints: {student_forgetting: "<= 0.1"}\npreferences: {plasticity: [0.95, 0.98]}\n'
)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("three") / "study", "budget.candidates=36", text=THREE)


def test_the_front_is_what_the_definition_says(three):
    history, file = load(three)
    assert history.in_state("pruned")
    kept = sorted(history.feasible(file.goals))
    costs = file.objectives.costs(history.values(kept, file.objectives.names)).tolist()
    on = [c for c, rank in zip(kept, oracle.ranks(costs), strict=True) if rank == 0]
    assert history.front(file.goals) == on
    volume = oracle.hypervolume(costs, file.objectives.reference_cost.tolist())
    assert history.hypervolume(file.goals) == pytest.approx(volume)


def test_the_same_seed_finds_the_same(three, tmp_path):
    with opened(tmp_path / "again", "budget.candidates=36", text=THREE) as study:
        assert findings(finish(study)) == findings(load(three)[0])


def test_the_knee_is_in_or_next_to_the_region_that_is_preferred(three):
    history, file = load(three)
    front = fronts.of(history, file)
    away = {
        r.candidate: max(0.95 - r.values["plasticity"], r.values["plasticity"] - 0.98, 0.0)
        for r in front.rows
    }
    nearest = {c for c, far in away.items() if far == min(away.values())}
    assert front.preferred == nearest
    assert pick(front, "knee") in nearest
    said, _ = parse(export.export(history, file, pick(front, "knee"), three), "knee.yaml")
    assert said["provenance"]["values"]["student_forgetting"] <= 0.1


def test_table_picture_and_page_have_all_three(three):
    history, file = load(three)
    front, out = fronts.of(history, file), io.StringIO()
    listing.render(front, Console(file=out, width=160))
    page, figure = pages.page(history, file), plots.front(history, file)
    for name in file.objectives.names:
        assert name in out.getvalue() and name in page
    assert "constraints: student_forgetting &lt;= 0.1; infeasible" in page
    assert "constraints: student_forgetting <= 0.1; infeasible" in out.getvalue()
    assert "preferred: plasticity 0.95 to 0.98" in out.getvalue()
    drawn = [axes for axes in figure.axes if axes.get_xlabel()]
    assert len(drawn) == 3
    crosses = [c for axes in drawn for c in axes.collections if c.get_label() == "infeasible"]
    assert all(len(c.get_offsets()) == len(front.infeasible) for c in crosses)
    assert len(crosses) == 3 and front.infeasible
    assert np.frombuffer(canvas.png(figure)[:8], dtype=np.uint8)[0] == 0x89
