"""A table tells of studies whose candidates could be its own, and of no others."""

import pytest

from search import studyfile
from search.replays import refuse_other
from spaces.problems import SpecError
from tests.search.running import TEXT

RECORDED = studyfile.read_text(TEXT, "tiny.yaml")


def refused(*overrides, text=TEXT):
    try:
        refuse_other(studyfile.read_text(text, "mine.yaml", overrides), RECORDED, "tiny.parquet")
    except SpecError as error:
        return list(error.problems)
    return []


def test_how_a_space_is_searched_is_free():
    assert not refused("sampler={kind: qmc}", "rungs=null", "budget.candidates=99", "seed=4")
    assert not refused(
        "fold={members: 1, averages: 1}", "objectives={accuracy: max, stability: max}"
    )
    assert not refused("recipe.optimizer.lr=!log [0.02, 0.1]")


def test_all_that_was_not_recorded_is_told():
    assert refused("recipe.optimizer.lr=!log [1.0e-3, 0.1]", "recipe.model.hidden=[9]") == [
        "mine.yaml: recipe.model.hidden.0: 9; tiny.parquet is of 8",
        "mine.yaml: recipe.optimizer.lr: !log [0.001, 0.1]; tiny.parquet is of !log [0.01, 0.5]",
    ]
    (told,) = refused("scenario.tasks=5")
    assert told.startswith("mine.yaml: scenario: ") and "tasks=4" in told


@pytest.mark.parametrize(
    "override, where",
    [
        ("recipe.optimizer.lr=0.1", "recipe.optimizer.lr: 0.1"),
        ("recipe.optimizer.lr=!uniform [0.1, 0.2]", "recipe.optimizer.lr: !uniform [0.1, 0.2]"),
        ("recipe.batch=16", "recipe.batch: 16"),
        ("averagers=[{kind: student}]", "averager.0.kind: student"),
    ],
)
def test_what_differs_is_named(override, where):
    assert f"mine.yaml: {where}" in [told.partition(";")[0] for told in refused(override)]
