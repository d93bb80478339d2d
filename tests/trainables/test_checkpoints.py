"""Saved and loaded, also in another process, a cohort is the same; another's state is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spaces.schedules.constant import Constant
from trainables import checkpoints
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.strategies.mean_teacher import MeanTeacher

STREAM = Blobs(steps=30).stream()


def cohort(*, lrs=(0.01, 0.1), width=6, seed=0, stream=STREAM):
    averagers = (Ema(momentum=Constant(value=0.9)), Student())
    recipes = [
        Recipe(
            model=Mlp(hidden=(width,)), optimizer=Sgd(lr=Constant(value=lr)), strategy=MeanTeacher()
        )
        for lr in lrs
    ]
    return Cohort([Member(r, averagers) for r in recipes], stream, seed=seed)


ELSEWHERE = """
import sys, torch
from pathlib import Path
from tests.trainables.test_checkpoints import cohort
from trainables import checkpoints
torch.set_num_threads(int(sys.argv[2]))
resumed = cohort()
checkpoints.load_into(resumed, Path(sys.argv[1]))
resumed.train_task()
resumed.train_task()
checkpoints.save(resumed, Path(sys.argv[1]))
"""


def test_resumed_in_another_process_it_ends_as_if_never_cut(tmp_path):
    path = tmp_path / "new" / "cohort.pt"
    whole = cohort()
    whole.train_task()
    whole.keep([0, 1, 3])
    checkpoints.save(whole, path)
    threads = str(torch.get_num_threads())
    subprocess.run([sys.executable, "-c", ELSEWHERE, path, threads], check=True, cwd=Path.cwd())
    whole.train_task()
    whole.train_task()
    resumed = cohort()
    checkpoints.load_into(resumed, path)
    assert resumed.seats == [0, 1, 3] and resumed.task == 3
    assert torch.equal(resumed.averages, whole.averages)
    assert torch.equal(resumed.students, whole.students)
    assert list(path.parent.iterdir()) == [path]


OTHERS = {
    "members": {"lrs": (0.01, 0.2)},
    "seed": {"seed": 1},
    "stream": {"stream": Blobs(steps=30, seed=3).stream()},
}


@pytest.mark.parametrize("name,other", OTHERS.items(), ids=OTHERS)
def test_the_state_of_another_cohort_is_refused(tmp_path, name, other):
    checkpoints.save(cohort(**other), tmp_path / "a.pt")
    with pytest.raises(ValueError, match=f"of a cohort with another {name}"):
        checkpoints.load_into(cohort(), tmp_path / "a.pt")


@pytest.mark.parametrize("bytes_", [b"", b"not a checkpoint"])
def test_what_is_not_a_checkpoint_is_refused(tmp_path, bytes_):
    (tmp_path / "a.pt").write_bytes(bytes_)
    with pytest.raises(ValueError, match="is not a checkpoint"):
        checkpoints.load_into(cohort(), tmp_path / "a.pt")


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"weights": torch.ones(2)}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="is not a checkpoint of a cohort"):
        checkpoints.load_into(cohort(), tmp_path / "a.pt")


def test_a_write_that_fails_leaves_the_last_one(tmp_path):
    path = tmp_path / "a.pt"
    checkpoints.write({"task": 1}, path)
    with pytest.raises(Exception, match="pickle"):
        checkpoints.write({"task": lambda: 2}, path)
    assert torch.load(path, weights_only=True) == {"task": 1}
    assert list(tmp_path.iterdir()) == [path]
