"""Small real studies for tests: a few candidates on drifting blobs, run in this process."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count

from search import studyfile
from search.engines import local
from search.events import Opened
from search.folders import load
from search.history import History
from search.ledger import Ledger
from search.room import BOUNDLESS
from search.study import Study

TEXT = """\
name: tiny
scenario: {kind: blobs, tasks: 4, steps: 6}
objectives: {plasticity: max, stability: max}
recipe:
  model: {kind: mlp, hidden: [8]}
  optimizer: {kind: sgd, lr: !log [1.0e-2, 0.5]}
  strategy: !choice
    - {kind: finetune}
    - {kind: mean_teacher, teacher: {kind: ema, momentum: !near_one [0.5, 0.99]}}
averagers:
  - {kind: ema, momentum: !near_one [0.5, 0.99], every: !int [1, 5]}
  - {kind: student}
budget: {candidates: 24}
rungs: {factor: 2, first_task: 2}
fold: {members: 3, averages: 2}
sampler: {kind: tpe, startup: 5}
"""


@contextmanager
def opened(directory, *overrides, text=TEXT, room=BOUNDLESS):
    """A new study in ``directory``, on a clock that counts its readings."""
    file = studyfile.read_text(text, "tiny.yaml", overrides)
    start = Opened(name=file.name, text=text, overrides=overrides, source="tiny.yaml")
    with Ledger.create(directory, start) as ledger:
        yield Study(file, ledger, History(start), now(), room)


@contextmanager
def reopened(directory):
    """The study in ``directory``, as a driver that resumes it sees it."""
    with Ledger.open(directory) as ledger:
        history, file = load(directory)
        yield Study(file, ledger, history, now(history.seconds))


def now(start=0.0):
    ticks = count(1)
    return lambda: start + next(ticks)


def finish(study):
    """Runs what is left of ``study`` in this process; its history."""
    local.drive(study, lambda: None)
    assert study.done
    study.end()
    return study.history


def ran(directory, *overrides, text=TEXT):
    """``directory``, with a study that was run in it to its end."""
    with opened(directory, *overrides, text=text) as study:
        finish(study)
    return directory


def findings(history):
    """What must not depend on when a study was interrupted."""
    return {
        c: (
            asked.knobs,
            history.rows(c),
            history.outcomes[c].state,
            history.outcomes[c].values,
            history.outcomes[c].task,
        )
        for c, asked in history.candidates.items()
    }
