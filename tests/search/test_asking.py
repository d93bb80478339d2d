"""What is drawn together shares what can be shared, and nothing is drawn twice for one student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.asking import wave
from search.studyfile import read_text
from spaces.space import knob_name

TEXT = """\
name: asked
scenario: {kind: blobs, tasks: 3, steps: 4}
objectives: {plasticity: max, stability: max}
recipe: {optimizer: {kind: sgd, lr: !log [1.0e-2, 0.5]}}
averagers:
  - {kind: ema, momentum: !near_one [0.5, 0.99], every: !int [1, 5]}
  - {kind: power, gamma: !log [0.5, 50]}
  - {kind: student}
  - {kind: uniform}
budget: {candidates: 1000}
"""


@dataclass
class Drawn:
    knobs: dict[str, Any]
    filled: Any
    held: dict[str, Any]


def file_of(*overrides):
    return read_text(TEXT, "asked.yaml", overrides)


def at_random(file, seed=0):
    rng = np.random.default_rng(seed)

    def ask(number, said):
        fixed, knobs = said.knobs, dict(said.knobs) if said.parts else {}

        def pick(path, domain):
            name = knob_name(path)
            knobs[name] = fixed[name] if name in fixed else domain.at(rng.random())
            return knobs[name]

        return Drawn(knobs, file.space.fill(pick, said.parts), dict(fixed))

    return ask


def students(drawn):
    """The candidates of each recipe, in order."""
    found: dict[float, list[Drawn]] = {}
    for _, d in drawn:
        found.setdefault(d.knobs["recipe.optimizer.lr"], []).append(d)
    return list(found.values())


def proposed(drawn):
    """Those whose averager was left to whom is asked."""
    return [d for d in drawn if not d.held.keys() - {"recipe.optimizer.lr"}]


@settings(deadline=None, max_examples=40)
@given(
    members=st.integers(1, 6),
    averages=st.integers(1, 20),
    left=st.integers(0, 60),
    seed=st.integers(0, 99),
)
def test_a_wave_is_students_with_averages_of_their_own(members, averages, left, seed):
    file = file_of(f"fold={{members: {members}, averages: {averages}}}", "budget.candidates=60")
    drawn = list(wave(file, 60 - left, at_random(file, seed)))
    assert [n for n, _ in drawn] == list(range(60 - left, 60 - left + len(drawn)))
    assert len(drawn) == min(left, members * averages) or len(students(drawn)) == members
    for candidates in students(drawn):
        assert len(candidates) <= averages
        assert len(proposed(candidates)) <= -(-averages // 2)
        spread = [d.knobs for d in candidates if d not in proposed(candidates)]
        others = [d.knobs for d in candidates]
        assert all(others.count(knobs) == 1 for knobs in spread)


def test_half_are_proposed_and_half_spread():
    file = file_of("averagers=[{kind: ema, momentum: !near_one [0.5, 0.99]}]")
    drawn = [d for _, d in wave(file, 0, at_random(file))]
    assert len(drawn) == 64
    assert len(proposed(drawn)) == 32
    assert {len(c) for c in students(enumerate(drawn))} == {8}


def test_spread_averages_cover_what_there_is():
    file = file_of("fold={members: 20, averages: 8}")
    shares = [
        [d.knobs["averager"] for d in c if d not in proposed(c)]
        for c in students(wave(file, 0, at_random(file)))
    ]
    assert np.mean([{0, 1} <= set(kinds) for kinds in shares]) > 0.8


def test_a_student_makes_do_with_the_averages_that_there_are():
    file = file_of("averagers=[{kind: student}, {kind: uniform}]")
    for candidates in students(wave(file, 0, at_random(file))):
        kinds = [d.knobs["averager"] for d in candidates]
        assert set(kinds) == {0, 1}
        assert len(kinds) <= 3  # one repetition is proposed before it is noticed


def test_one_averager_is_asked_for_once():
    file = file_of("averagers=[{kind: uniform}]")
    assert len(list(wave(file, 0, at_random(file)))) == file.fold.members


def test_without_knobs_in_the_recipe_too():
    file = file_of("recipe.optimizer.lr=0.1")
    drawn = [d for _, d in wave(file, 0, at_random(file))]
    assert len(drawn) >= file.fold.members * 2
    assert all(d.filled["recipe"]["optimizer"]["lr"] == 0.1 for d in drawn)


@pytest.mark.parametrize("first", [0, 8, 512])
def test_every_student_is_spread_otherwise_and_always_so(first):
    file = file_of("fold={members: 2, averages: 8}")
    once, again = (list(wave(file, first, at_random(file))) for _ in range(2))
    assert [d.knobs for _, d in once] == [d.knobs for _, d in again]
    assert len({d.knobs.get("averager.1.gamma") for _, d in once} - {None}) > 2
