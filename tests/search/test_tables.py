"""Tables: what they keep of a ledger, to the last bit, and what they refuse."""

import math

import numpy as np
import pytest

from search.tables import read, tabulate
from spaces.problems import SpecError
from tests.search.running import TEXT, finish, opened

DENSE = (
    "budget.candidates=12",
    "sampler={kind: qmc}",
    "recipe.optimizer.lr=!log [1.0e-2, 1.0e+12]",
)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A study whose rungs stop some, and whose learning rates are too high for others."""
    with opened(tmp_path_factory.mktemp("runs") / "tiny", *DENSE, text=TEXT) as study:
        return finish(study), study.file


@pytest.fixture(scope="module")
def table(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "tiny.parquet"
    tabulate(*history).write(path)
    return read(path)


def test_every_row_says_what_the_ledger_says(history, table):
    history, file = history
    assert table.file == file
    assert table.knobs == [history.candidates[c].knobs for c in range(12)]
    assert table.states == [history.outcomes[c].state for c in range(12)]
    assert set(table.states) >= {"complete", "pruned", "failed"}
    for c, (triangle, seconds) in enumerate(zip(table.accuracy, table.seconds, strict=True)):
        rows = history.rows(c)
        measured = [[a for a in row if not math.isnan(a)] for row in triangle.tolist()]
        assert [tuple(row) for row in measured if row] == rows
        spent = [history.records[c][k].seconds for k in range(len(rows))]
        assert np.array_equal(
            seconds, np.float32(spent + [np.nan] * (4 - len(rows))), equal_nan=True
        )


def test_candidates_of_one_student_share_its_number(history, table):
    recipes = [{n: v for n, v in knobs.items() if n.startswith("recipe.")} for knobs in table.knobs]
    for a in range(12):
        for b in range(12):
            assert (recipes[a] == recipes[b]) == (table.students[a] == table.students[b])


def test_other_seeds_are_further_rows(history, table):
    history, file = history
    both = table.joined(table)
    assert len(both) == 24
    assert len(both.of_seed(file.seed)) == 24
    assert len(both.of_seed(file.seed + 1)) == 0


def test_a_study_in_which_nothing_has_ended_has_no_table(tmp_path):
    with (
        opened(tmp_path / "tiny") as study,
        pytest.raises(SpecError, match="no candidate has ended"),
    ):
        tabulate(study.history, study.file)


@pytest.mark.parametrize("text", [None, b"PAR1 and no more"])
def test_what_is_no_table(tmp_path, text):
    path = tmp_path / "none.parquet"
    if text:
        path.write_bytes(text)
    with pytest.raises(SpecError, match=r"none\.parquet"):
        read(path)
