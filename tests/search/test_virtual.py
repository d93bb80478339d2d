"""The virtual engine: what happens on it is what would happen, and adds up."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import studyfile
from search.engines import local
from search.engines.virtual import Fleet
from search.events import Opened
from search.history import History
from search.jobs import SECONDS_BETWEEN_CHECKPOINTS
from search.simulation import Unwritten, simulate
from search.study import Study
from search.worlds import Arc
from spaces.problems import SpecError
from tests.search.running import TEXT, findings
from trainables.runs import Record

FILE = studyfile.read_text(TEXT, "tiny.yaml", ["sampler={kind: random}"])
TPE = studyfile.read_text(TEXT, "tiny.yaml", ["budget.candidates=60"])
TASKS = len(FILE.scenario.clock().task_ends)


def arc(file=FILE, **settings):
    return Arc(knobs=file.space.knobs(), trade="recipe.optimizer.lr", tasks=TASKS, **settings)


class Recorded(Unwritten):
    """Keeps its events."""

    def __init__(self):
        super().__init__()
        self.events = []

    def append(self, *events):
        self.events += events


def worker(study, world, clock):
    """What the local engine is given in place of training: the world's numbers, one task after another."""

    def work(job):
        alive, numbers = job.alive, study.history.jobs[job.number].candidates
        knobs = {s: study.history.candidates[c].knobs for s, c in enumerate(numbers)}
        for task in range(TASKS):
            students = {}
            for s in alive:
                students.setdefault(job_member(study, job.number, s), []).append(knobs[s])
            seconds = world.seconds(list(students.values()), task)
            clock.append(clock[-1] + seconds)
            alive = yield [
                Record(
                    s,
                    task,
                    job.scenario.clock().task_ends[task],
                    {"accuracy": tuple(world.accuracy([knobs[s]], job.seed)[0, task, : task + 1])},
                    seconds / len(alive),
                )
                for s in alive
            ]

    return work


def job_member(study, job, seat):
    seats = [m for m, own in enumerate(study.history.jobs[job].members) for _ in own]
    return seats[seat]


def test_one_worker_is_the_local_engine(monkeypatch):
    world, clock, ledger = arc(TPE), [0.0], Recorded()
    study = Study(TPE, ledger, History(Opened(name="tiny", text=TEXT)), lambda: clock[-1])
    monkeypatch.setattr(local, "work", worker(study, world, clock))
    local.drive(study, lambda: None)
    study.end()
    found = simulate(TPE, world, Fleet())
    assert findings(found.history) == findings(study.history)
    assert list(found.history.outcomes.values()) == list(study.history.outcomes.values())
    assert found.history.records == study.history.records
    assert found.history.ended == study.history.ended
    assert found.usage.wall == found.usage.busy == clock[-1]


def fleets():
    return st.builds(
        Fleet,
        workers=st.integers(1, 12) | st.just(1000),
        stragglers=st.sampled_from([0.0, 0.5]),
        failures=st.sampled_from([0.0, 300.0]),
        seed=st.integers(0, 5),
    )


@given(fleet=fleets())
@settings(max_examples=15, deadline=None)
def test_what_goes_in_comes_out(fleet):
    found = simulate(FILE, arc(job=5.0), fleet)
    history, usage = found.history, found.usage
    assert set(history.outcomes) == set(history.candidates) == set(range(24))
    assert history.ended is not None
    assert usage.deaths == len(history.faults)
    assert usage.busy <= fleet.workers * usage.wall * (1 + 1e-12)
    assert usage.busy - found.lost == pytest.approx(history.device_seconds())
    if not usage.deaths:
        assert found.lost == pytest.approx(0, abs=1e-9)
        assert not history.in_state("failed")


def test_the_same_seed_is_the_same_simulation():
    fleet = Fleet(workers=3, stragglers=0.5, failures=100.0)
    one, same = simulate(FILE, arc(), fleet), simulate(FILE, arc(), fleet)
    other = simulate(FILE, arc(), Fleet(workers=3, stragglers=0.5, failures=100.0, seed=1))
    assert one.history.outcomes == same.history.outcomes and one.usage == same.usage
    assert other.usage != one.usage


def test_more_workers_do_the_same_work_sooner():
    # Nobody is stopped and nothing learnt, so who is measured when decides nothing.
    file = studyfile.read_text(TEXT, "t", ["sampler={kind: random}", "rungs=null"])
    found = {w: simulate(file, arc(), Fleet(workers=w)) for w in (1, 2, 3, 1000)}
    costs = sum(r.seconds for h in found[1].history.records.values() for r in h.values())
    walls = [found[w].usage.wall for w in sorted(found)]
    assert walls == sorted(walls, reverse=True)
    for w, of in found.items():
        assert of.usage.busy == pytest.approx(costs)
        assert of.usage.wall * w >= of.usage.busy * (1 - 1e-12)
        assert {c: h.values for c, h in of.history.outcomes.items()} == {
            c: h.values for c, h in found[1].history.outcomes.items()
        }
    longest = max(
        sum(found[1].history.records[job.candidates[0]][k].seconds for k in range(TASKS))
        * len(job.candidates)
        for job in found[1].history.jobs.values()
    )
    assert found[1000].usage.wall == pytest.approx(longest)
    assert found[1].usage.utilisation == pytest.approx(1.0)


def test_stragglers_take_longer_by_as_much_as_is_said():
    file = studyfile.read_text(
        TEXT, "t", ["sampler={kind: random}", "rungs=null", "budget.candidates=240"]
    )
    plain, slow = (simulate(file, arc(), Fleet(stragglers=s)).usage.busy for s in (0.0, 0.5))
    half_normal = math.sqrt(2 / math.pi)
    assert slow / plain == pytest.approx(1 + 0.5 * half_normal, rel=0.06)


def test_a_dead_workers_job_goes_on_from_what_was_saved():
    """Tasks of 100 s, each saved: a job that dies repeats one task, not the stream."""
    file = studyfile.read_text(
        TEXT, "t", ["sampler={kind: random}", "rungs=null", "budget.candidates=200"]
    )
    assert SECONDS_BETWEEN_CHECKPOINTS < 100
    found = simulate(file, arc(job=100.0, member=0.0, average=0.0), Fleet(failures=3.0))
    jobs = len(found.history.jobs)
    assert found.usage.deaths > 5
    assert len(found.history.in_state("complete")) == 200  # none died three times
    assert found.lost < found.usage.deaths * 100
    assert found.usage.busy == pytest.approx(jobs * TASKS * 100 + found.lost)


def test_what_diverges_fails_as_it_does_when_trained():
    class Wild(Arc):
        def accuracy(self, candidates, seed):
            found = super().accuracy(candidates, seed)
            for row, knobs in zip(found, candidates, strict=True):
                if knobs["recipe.optimizer.lr"] > 0.1:
                    row[1:] = float("nan")
            return found

    wild = Wild(knobs=FILE.space.knobs(), trade="recipe.optimizer.lr", tasks=TASKS)
    history = simulate(FILE, wild, Fleet(workers=2)).history
    for c, outcome in history.outcomes.items():
        diverged = history.candidates[c].knobs["recipe.optimizer.lr"] > 0.1
        assert (outcome.state == "failed") == diverged
        assert not diverged or outcome.reason == "diverged: not finite after task 1"


def test_it_may_be_enough_before_the_end():
    found = simulate(FILE, arc(), Fleet(), lambda study, usage: usage.busy > 10)
    assert 10 < found.usage.busy < simulate(FILE, arc(), Fleet()).usage.busy
    assert found.history.ended is None


def test_what_no_world_knows_is_refused():
    more = ["metrics=[stability_gap]", "evaluate={every: 1}", "snapshots={}"]
    file = studyfile.read_text(TEXT, "tiny.yaml", more)
    with pytest.raises(SpecError) as raised:
        simulate(file, arc(), Fleet())
    assert [p.split(":")[1].strip() for p in raised.value.problems] == [
        "curve",
        "evaluate",
        "snapshots",
    ]
