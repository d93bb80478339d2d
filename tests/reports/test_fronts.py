from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from reports import fronts, listing
from reports.fronts import Front, Row
from reports.picks import pick
from search.history import History
from search.ledger import Ledger
from spaces.specs import SpecError
from tests.reports import studies


def small() -> Front:
    history = studies.small()
    return fronts.of(history, studies.study_of(history))


def front_of(points: list[tuple[float, ...]], directions: str = "max max") -> Front:
    names = "abc"[: len(points[0])]
    rows = tuple(
        Row(candidate=i, values=dict(zip(names, point, strict=True)), config={}, settings={})
        for i, point in enumerate(points)
    )
    objectives = dict(zip(names, directions.split(), strict=True))
    return Front(
        objectives=objectives,
        reference=dict.fromkeys(names, 0.0),
        hypervolume=0.0,
        rows=rows,
        states=dict.fromkeys(range(len(rows)), "complete"),
    )


def printed(front: Front) -> str:
    file = io.StringIO()
    listing.render(front, Console(file=file, width=100))
    return file.getvalue()


def test_the_front_is_of_complete_candidates_best_first():
    front = small()
    assert [row.candidate for row in front.rows] == [0, 1, 2]
    assert front.hypervolume == pytest.approx(0.9 * 0.3 + 0.8 * 0.3 + 0.4 * 0.1)
    assert front.states == {
        **dict.fromkeys(range(4), "complete"),
        4: "pruned",
        5: "failed",
        6: "running",
    }


def test_as_json_it_has_these_keys_and_plain_values():
    front = small()
    told = json.loads(json.dumps(front.to_json()))
    assert list(told) == ["objectives", "reference", "hypervolume", "front"]
    assert told["objectives"] == {"plasticity": "max", "stability": "max"}
    assert told["reference"] == {"plasticity": 0.0, "stability": 0.0}
    assert [list(row) for row in told["front"]] == [["candidate", "values", "config"]] * 3
    assert told["front"][1]["values"] == {"plasticity": 0.8, "stability": 0.6}
    assert set(told["front"][1]["config"]) == {"recipe", "averager"}


def test_loaded_from_a_folder_it_is_the_same(tmp_path):
    history = studies.small()
    with Ledger.create(tmp_path / "study", history.opened) as ledger:
        ledger.append(*studies.small_events()[1:])
    assert fronts.load(tmp_path / "study") == small()


@pytest.mark.parametrize(
    "which, candidate", [("knee", 1), ("plasticity", 0), ("stability", 2), ("3", 3), ("0", 0)]
)
def test_picks(which, candidate):
    assert pick(small(), which) == candidate


@pytest.mark.parametrize("which, state", [("4", "pruned"), ("5", "failed"), ("6", "running")])
def test_a_candidate_that_is_not_complete_is_refused_and_the_front_listed(which, state):
    with pytest.raises(SpecError, match=rf"candidate {which} is {state}.*front: 0, 1, 2"):
        pick(small(), which)


def test_what_cannot_be_picked_says_what_can():
    with pytest.raises(SpecError, match="candidate 99 does not exist"):
        pick(small(), "99")
    with pytest.raises(SpecError, match="did you mean 'stability'"):
        pick(small(), "stabilty")
    with pytest.raises(SpecError, match="one of knee, plasticity, stability"):
        pick(small(), "-1")
    history = studies.empty()
    with pytest.raises(SpecError, match="the front is empty"):
        pick(fronts.of(history, studies.study_of(history)), "knee")


def test_the_knee_is_where_the_front_bulges_most():
    bulge = [(1.0, 0.0), (0.9, 0.5), (0.8, 0.85), (0.5, 0.9), (0.0, 1.0)]
    assert pick(front_of(bulge), "knee") == 2
    turned = [(-x, y) for x, y in bulge]
    assert pick(front_of(turned, "min max"), "knee") == 2
    stretched = [(100 * x + 7, y) for x, y in bulge]
    assert pick(front_of(stretched), "knee") == 2


def test_the_knee_of_a_hollow_front_is_an_end_and_of_one_row_that_row():
    assert pick(front_of([(1.0, 0.0), (0.3, 0.3), (0.0, 1.0)]), "knee") == 0
    assert pick(front_of([(0.5, 0.5)]), "knee") == 0


def test_the_knee_of_three_objectives_is_nearest_to_the_ideal_point():
    points = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.6, 0.6)]
    assert pick(front_of(points, "max max max"), "knee") == 3


points_in_the_plane = st.lists(
    st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)), min_size=1, max_size=30
)


@settings(deadline=None, max_examples=40)
@given(points_in_the_plane)
def test_progress_ends_at_the_hypervolume_of_the_front_and_never_falls(points):
    history = History.of(studies.with_outcomes(points))
    goals = studies.study_of(history).goals
    steps = fronts.progress(history, goals)
    volumes = [volume for *_, volume in steps]
    assert [candidate for candidate, *_ in steps] == list(range(len(points)))
    assert (np.diff(volumes) >= 0).all()
    assert volumes[-1] == pytest.approx(history.hypervolume(goals))


def test_the_table_is_read_in_100_columns():
    told = printed(small())
    assert max(map(len, told.splitlines())) <= 100
    assert "0.8000" in told
    assert "knee" in told
    assert "hypervolume 0.5500 (reference 0, 0)" in told
    assert "4 " not in told.split("candidate", 1)[0]


def test_settings_that_all_rows_share_are_said_once():
    rows = [
        Row(
            candidate=i, values={"a": i, "b": 1 - i}, config={}, settings={"lr": "0.1", "x": str(i)}
        )
        for i in range(2)
    ]
    front = Front({"a": "max", "b": "max"}, {"a": 0, "b": 0}, 0.0, tuple(rows), {0: "complete"})
    told = printed(front)
    assert told.count("lr 0.1") == 1
    assert "all of them: lr 0.1" in told


def test_an_empty_front_is_said_to_be_empty():
    history = studies.empty()
    assert "empty" in printed(fronts.of(history, studies.study_of(history)))
