"""Progress: what a terminal and a pipe are shown of a study."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from search.progress import Progress, activity, line, stopped, table, waiting
from search.stopwatches import Stopwatch
from tests.search.running import finish, opened

STARTING = "starting Ray"


def terminal():
    return Console(force_terminal=True, file=io.StringIO(), width=80, legacy_windows=False)


def pipe():
    return Console(force_terminal=False, file=io.StringIO(), width=80)


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """A study of which nothing was measured yet, and one that has ended."""
    directory = tmp_path_factory.mktemp("progress")
    with opened(directory / "young") as young:
        young.next_job()
    with opened(directory / "ended") as ended:
        finish(ended)
    return young, ended


def test_a_pipe_gets_plain_lines(stages):
    young, ended = stages
    console = pipe()
    with Progress(console, STARTING) as progress:
        progress(young)
        progress(ended)
    said = console.file.getvalue().splitlines()
    assert said[0] == f"{STARTING} ..."
    assert said[1] == f"training the first students for {young.directory.name} ..."
    assert said[2:] == [line(ended), "writing MLflow and the pictures ..."]
    assert "\x1b" not in console.file.getvalue()


def test_a_line_says_how_far_and_how_good_in_a_terminals_width(stages):
    _, ended = stages
    history, said = ended.history, line(ended)
    counts = history.counts()
    assert f"24/24 done: {counts['complete']} complete, {counts['pruned']} pruned" in said
    assert f"hypervolume {history.hypervolume(ended.file.goals):.4f}" in said
    assert len(said) <= 80


def test_a_pipe_is_not_flooded(stages):
    young, _ = stages
    console = pipe()
    with Progress(console, STARTING) as progress:
        for _ in range(1000):
            progress(young)
    assert len(console.file.getvalue().splitlines()) == 2


def test_a_terminal_says_at_once_what_is_being_done():
    console = terminal()
    with Progress(console, STARTING):
        pass
    assert f"{STARTING} ..." in console.file.getvalue()


def test_a_terminal_gets_one_live_table_that_stays(stages):
    young, ended = stages
    console = terminal()
    with Progress(console, STARTING) as progress:
        progress(young)
        assert "-" in console.file.getvalue()
        progress(ended)
        shown = console.file.getvalue()
        assert "writing MLflow and the pictures ..." in shown
    last = console.file.getvalue()[len(shown) :]
    assert "24/24 candidates" in last
    assert f"{ended.history.hypervolume(ended.file.goals):.4f}" in last
    for name in ("complete", "pruned", "failed", "running", "front", "plasticity", "stability"):
        assert name in last
    assert "writing" not in last


def test_an_error_before_anything_was_measured_leaves_no_table():
    console = terminal()
    with pytest.raises(ZeroDivisionError), Progress(console, STARTING):
        raise ZeroDivisionError
    assert "candidates" not in console.file.getvalue()


def test_activities(stages):
    young, ended = stages
    assert activity(young).startswith("training the first students")
    assert activity(ended).startswith("writing MLflow")


def test_what_is_said_after_ctrl_c(stages):
    young, ended = stages
    assert stopped(None) == "stopped before the study began"
    assert stopped(young).endswith(f"go on with: equipoise resume {young.directory}")
    assert stopped(ended).endswith(f"equipoise sync {ended.directory}")


@pytest.mark.parametrize(
    ("sampler", "told"),
    [("gp", "asking gp: it is for candidates that take longer, or ask tpe"), ("tpe", "asking tpe")],
)
def test_a_sampler_that_workers_wait_for_is_named(tmp_path, sampler, told):
    with opened(tmp_path / "slow", f"sampler={{kind: {sampler}}}") as slow:
        readings = iter([0.0, 10.0, 14.0, 16.0, 20.0, 20.0])
        slow.asking = Stopwatch(lambda: next(readings, 20.0))
        slow.next_job()  # from the 10th second to the 14th
        assert waiting(slow) == ""  # too little to be worth a word
        slow.next_job()  # from the 16th to the 20th
        said = f"40% of the time went into {told}"
        assert line(slow).endswith(f"; {said}")
        console = terminal()
        console.print(table(slow))
    assert said[:40] in console.file.getvalue()


def test_nothing_is_said_of_a_sampler_that_is_quick(stages):
    _, ended = stages
    assert waiting(ended) == ""
