"""Studies with constraints: who is infeasible is complete and stands nowhere."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from reports import frames, fronts, listing
from reports.picks import pick
from reports.tracker.curves import Curve
from reports.tracker.rows import standings
from search import results
from search.cli import main
from search.events import Measured, Outcome
from search.folders import load
from search.history import History
from search.ledger import NAME, read
from search.samplers import Sampler
from search.samplers.suggestions import Suggestions
from spaces.domains import Range
from spaces.objectives import Objectives
from spaces.problems import SpecError
from spaces.space import Space
from tests.search.running import TEXT, findings, finish, opened, ran, reopened
from trainables.metrics import defined

LIMITS = TEXT + 'constraints: {forgetting: "<= 0.12", parameters: "<= 400"}\n'


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("limited") / "study", text=LIMITS)


def test_the_front_is_of_those_that_keep_them(limited):
    history, file = load(limited)
    values = history.finals()
    kept = {c for c, v in values.items() if v["forgetting"] <= 0.12 and v["parameters"] <= 400}
    assert 0 < len(kept) < len(values)
    assert set(history.feasible(file.goals)) == kept
    front = history.front(file.goals)
    assert front and set(front) <= kept
    alone = History.of(
        e
        for e in read(limited)
        if getattr(e, "candidate", front[0]) in kept or not isinstance(e, Outcome | Measured)
    )
    assert alone.front(file.goals) == front
    assert alone.hypervolume(file.goals) == history.hypervolume(file.goals)


def test_resumed_it_ends_as_if_never_cut(limited, tmp_path):
    for share in (0.4, 0.8):
        cut = tmp_path / f"cut-{share}"
        shutil.copytree(limited, cut)
        ledger = (cut / NAME).read_bytes()
        first = ledger.index(b"\n") + 1
        (cut / NAME).write_bytes(ledger[: first + int(share * (len(ledger) - first))])
        with reopened(cut) as study:
            assert findings(finish(study)) == findings(load(limited)[0])


def test_bounds_that_all_keep_change_nothing(tmp_path):
    """Neither the candidates nor who goes on, though the sampler is told of constraints."""
    with opened(tmp_path / "free", "sampler={kind: nsga2, population: 4}") as study:
        free = finish(study)
    wide = TEXT + 'constraints: {forgetting: "<= 0.999"}\n'
    with opened(tmp_path / "wide", "sampler={kind: nsga2, population: 4}", text=wide) as study:
        assert findings(finish(study)) == findings(free)
        assert study.history.front(study.file.goals) == free.front(study.file.goals)


def test_every_report_knows(limited, capsys):
    history, file = load(limited)
    goals, front = file.goals, fronts.of(history, file)
    infeasible = sorted(set(history.finals()) - set(history.feasible(goals)))
    assert list(front.infeasible) == [c for c in history.finals() if c in infeasible]
    table = frames.candidates(history, file)
    assert table.columns[:4].tolist() == ["state", "on_front", "feasible", "tasks"]
    assert table.index[table.feasible.eq(False).fillna(False)].tolist() == infeasible
    assert table.feasible[history.in_state("pruned")].isna().all()
    for c in history.finals():
        told = standings(history, goals)[c]
        assert told["feasible"] == ("false" if c in infeasible else "true")
    points = Curve(goals).points(history)
    volumes = [p.value for p in points if p.key == "hypervolume"]
    assert volumes[-1] == pytest.approx(history.hypervolume(goals))
    assert fronts.progress(history, goals)[-1][2] == pytest.approx(history.hypervolume(goals))
    with pytest.raises(SpecError, match=r"is infeasible: .* \(not <= "):
        pick(front, str(infeasible[0]))
    assert main(["status", str(limited), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["infeasible"] == len(infeasible)
    assert main(["front", str(limited)]) == 0
    assert f"infeasible, and not on the front: {len(infeasible)}" in capsys.readouterr().out


def test_where_nothing_is_feasible_it_says_who_is_nearest(tmp_path):
    hard = TEXT + 'constraints: {parameters: "<= 3"}\n'
    with opened(tmp_path / "hard", "budget.candidates=6", text=hard) as study:
        history, file = finish(study), study.file
    assert history.in_state("complete")
    front, out = fronts.of(history, file), io.StringIO()
    listing.render(front, Console(file=out, width=200))
    assert "complete candidates keeps parameters <= 3; the nearest is" in out.getvalue()
    with pytest.raises(SpecError, match="the front is empty: none of"):
        pick(front, "knee")


def test_a_metric_that_is_not_finite_keeps_no_bound(tmp_path, monkeypatch):
    def undefined(sheet):
        return {name: value for name, value in defined(sheet).items() if name != "forgetting"}

    monkeypatch.setattr(results, "defined", undefined)
    with opened(tmp_path / "study", "budget.candidates=2", "rungs=null", text=LIMITS) as study:
        history = finish(study)
    assert {o.reason for o in history.outcomes.values()} == {"not finite: forgetting"}


SPACE = Space({"x": Range(0.0, 1.0), "y": Range(0.0, 1.0)})
TWO = Objectives.of({"a": "max", "b": "max"})


@pytest.mark.parametrize("kind", ["tpe", "nsga2", "nsga3", "gp"])
def test_samplers_that_learn_keep_to_limits(kind):
    """The best on both objectives lies where a limit is broken: x above 0.3."""
    early = {"tpe": {"startup": 8}, "gp": {"startup": 6}}.get(kind, {"population": 8})
    asked, late = (10, 4) if kind == "gp" else (64, 24)
    suggestions, xs = Suggestions(Sampler.kinds[kind](**early), SPACE, TWO, 1), []
    for candidate in range(asked):
        x, y = suggestions.ask(candidate).knobs.values()
        limits = {"x": (x - 0.3) / 0.3}
        suggestions.tell(candidate, "complete", [x - y, x + y], limits)
        xs.append(x)
    assert (np.array(xs[-late:]) <= 0.3).mean() >= 0.5
