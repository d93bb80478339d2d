"""What a study would train and keep in memory, before anything runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from search.aims import evaluation_of
from search.anchors import anchors_of
from search.drafts import draft
from search.plans import Candidate, most_that_fit
from search.room import Scales, check_room, most_rows, room
from search.sizes import size_of
from trainables.footprints import beside
from trainables.learners import stacks
from trainables.recipes import program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from search.anchors import Anchors
    from search.plans import Crew, Fits
    from search.studyfile import StudyFile
    from search.warm_starts import Warmth
    from spaces.clock import Clock
    from trainables.recipes import Recipe


NOTE = (
    "Drawn at random and as if no rung stopped anyone: the sampler chooses others, so",
    "students and jobs may differ somewhat, and fewer steps are trained than that.",
    "Each worker takes some hundred MiB besides, for Python and PyTorch.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Counts over a whole study, as if nothing were pruned.

    A study whose budget names no number of candidates has an ``open_end``: then they are the first.
    ``refused`` candidates are combinations of knobs that cannot be trained.
    ``seeds`` are the students' own, each with jobs to itself. ``looped`` of the students have models that do not stack and are trained one after the other.
    ``branched`` are the most steps that any student's branches take besides. With ``twins`` each is trained twice. A promising candidate has up to ``repeats`` trainings more, and all together from the first of ``further`` to the second: a bound on either side, for who is promising is known only once it is trained. ``beside`` are the most rows of weights that any student is given, by what they are.
    ``memory`` is the largest job's, bytes; ``room`` what it may take, and ``cut`` what limits the
    students that share a job, both in words. ``disk`` is what snapshots take in all, bytes.
    """

    candidates: int
    refused: int
    students: int
    looped: int
    jobs: int
    members: tuple[int, int]
    averages: int
    beside: dict[str, int]
    steps: int
    memory: int
    disk: int
    room: str
    warm: str
    cut: str
    strategies: dict[str, int]
    branched: int
    seeds: tuple[int, ...]
    twins: bool
    repeats: int
    further: tuple[int, int]
    rungs: tuple[int, ...]
    anchors: str
    knobs: int
    open_end: bool

    def __str__(self) -> str:
        few, many = self.members
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.strategies.items()))
        rungs = ", ".join(map(str, self.rungs)) or "none"
        rows = {
            "candidates": f"{self.candidates} over {self.knobs} knobs"
            f"{self._refusals()}{self._open_end()}",
            "students": f"{self.students} to train ({kinds}), {self.steps} steps each"
            f"{self._branching()}{self._twins()}",
            "seeds": self._seeding(),
            "repeats": self._repeating(),
            "averages": f"up to {self.averages} followed on each student",
            "companions": self._beside(),
            "jobs": f"{self.jobs}, of {few} to {many} students trained in lockstep",
            "stacks": self._stacking(),
            "cut": self.cut,
            "memory": f"{size_of(self.memory)} of tensors in the largest job",
            "room": self.room,
            "warm start": self.warm,
            "anchors": self.anchors,
            "snapshots": f"{size_of(self.disk)} on the disk" if self.disk else "none are kept",
            "rungs": f"after tasks: {rungs}",
        }
        return "\n".join([*(f"{name:<12}{text}" for name, text in rows.items()), "", *NOTE])

    def _twins(self) -> str:
        if not self.twins:
            return ""
        return "; beside each a twin of another seed (churn across seeds), twice the work"

    def _repeating(self) -> str:
        if not self.repeats:
            return "none: each candidate is trained once"
        steps = (self.steps + self.branched) * (2 if self.twins else 1)
        few, many = self.further
        return (
            f"up to {self.repeats} for who is promising, not counted above: {few} to {many} trainings"
            f" of up to {steps} steps, {few * steps:,} to {many * steps:,} in all"
        )

    def _branching(self) -> str:
        return f" and up to {self.branched} more on branches" if self.branched else ""

    def _refusals(self) -> str:
        if not self.refused:
            return ""
        return f", {self.refused} of them combinations that are refused"

    def _open_end(self) -> str:
        return "; the budget names no number, so these are the first" if self.open_end else ""

    def _seeding(self) -> str:
        if len(self.seeds) == 1:
            return f"{self.seeds[0]} (recipe.seed), that of every student"
        many = len(self.seeds)
        return f"{many} (recipe.seed, {self.seeds[0]} to {self.seeds[-1]}), each in jobs of its own"

    def _beside(self) -> str:
        rows = ", ".join(f"{n} for {what}" for what, n in self.beside.items() if n)
        return f"rows of weights beside a student: up to {rows}" if rows else "none: only students"

    def _stacking(self) -> str:
        if not self.looped:
            return "every model: the students of a job take each step together"
        who = "no model" if self.looped == self.students else f"not the model of {self.looped}"
        return f"{who}: such students of a job take their steps one after the other"


def plan(file: StudyFile, warmth: Warmth | None = None) -> Plan:
    """Draws the whole budget at random, wave by wave as a study does, and folds it.

    With a warm start, of which nothing is read here, ``warmth`` is what it gives.

    Raises SpecError if there is a student that no job has room for, or nothing that can be trained.
    """
    held, scales = room(file), Scales.of(file)
    check_room(file, held)
    fits, anchors = scales.fits(held, {}), anchors_of(file)
    made = draft(file, anchors, fits, scales)
    drawn, crews = made.drawn, made.crews
    recipes = [drawn[member[0]].recipe for crew in crews for member in crew]
    clock = file.scenario.clock()
    tasks = len(clock.task_ends)
    return Plan(
        candidates=len(drawn) + len(made.refused),
        refused=len(made.refused),
        students=sum(map(len, crews)),
        looped=_looped(file, recipes),
        jobs=len(crews),
        members=(min(map(len, crews)), max(map(len, crews))),
        averages=max(len(member) for crew in crews for member in crew),
        beside=_most(beside(recipe, clock) for recipe in recipes),
        steps=clock.steps,
        memory=max(_weight(scales, drawn, crew) for crew in crews),
        disk=sum(len(crew) * scales.left(drawn[crew[0][0]].recipe) for crew in crews),
        room=str(held),
        warm=str(warmth or "not read")
        if file.warm_start
        else "none: the sampler begins with nothing",
        cut=_cut(_sizes(file, recipes, most_rows(file, scales), fits), file.fold.members),
        strategies=Counter(_strategy(drawn[m[0]]) for crew in crews for m in crew),
        seeds=tuple(sorted({candidate.recipe.seed for candidate in drawn.values()})),
        branched=max(_on_branches(recipe, clock) for recipe in recipes),
        twins=evaluation_of(file).of_twins,
        repeats=0 if file.repeats is None else file.repeats.seeds - 1,
        further=_further(file, len(drawn)),
        rungs=() if file.rungs is None else tuple(file.rungs.levels(tasks)),
        anchors=_anchored(anchors, made.late),
        knobs=len(file.space.knobs()),
        open_end=file.budget.candidates is None,
    )


def _anchored(anchors: Anchors, late: int) -> str:
    """Which anchors there are; the ``late`` ones have no student within the budget."""
    if not anchors.asked and not anchors.left_out:
        return "none: the sampler draws the first"
    return f"{anchors}{f'; for the last {late} the budget is too small' if late else ''}"


def _further(file: StudyFile, candidates: int) -> tuple[int, int]:
    """The fewest trainings that repeats add, and the most.

    Somebody is on the front in the end and has all its seeds by then, unless time may be over before, or
    nobody keep the constraints. At most everyone is on it at some time, each a student by itself.
    """
    if file.repeats is None:
        return 0, 0
    seeds, budget = file.repeats.seeds - 1, file.budget
    hurried = budget.device_seconds is not None or budget.wall_seconds is not None
    return 0 if hurried or file.constraints else seeds, candidates * seeds


def _on_branches(recipe: Recipe, clock: Clock) -> int:
    """Steps that differ from the trunk's. Branches begin with their block, some steps before."""
    return 0 if recipe.branch is None else int((recipe.branch.rates(clock) != 1).sum())


def _looped(file: StudyFile, recipes: list[Recipe]) -> int:
    """How many of ``recipes`` have models that do not stack; each model is looked at once."""
    shape = file.scenario.shape()
    counts = Counter(recipe.model for recipe in recipes)
    return sum(n for model, n in counts.items() if not stacks(model, shape))


def _most(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """The most of each name."""
    return dict(reduce(or_, map(Counter, counts)))


def _strategy(candidate: Candidate) -> str:
    kind: str = candidate.recipe.strategy.kind  # type: ignore[attr-defined]  # all of a family have it
    return kind


def _weight(scales: Scales, drawn: dict[int, Candidate], crew: Crew) -> int:
    heights = (sum(scales.rows(drawn[n].averager) for n in member) for member in crew)
    return scales.weigh(drawn[crew[0][0]].recipe, len(crew), max(heights))


def _sizes(file: StudyFile, recipes: list[Recipe], averages: int, fits: Fits) -> list[int]:
    """The most members of a job, of each program, each with so many rows of averages."""
    kinds, most = {program(r): r for r in recipes}, file.fold.members
    return [most_that_fit(recipe, averages, most, fits) for recipe in kinds.values()]


def _cut(sizes: list[int], most: int) -> str:
    few, many = min(sizes), max(sizes)
    if few == most:
        return f"at most {most} students a job (fold.members)"
    room = str(few) if few == many else f"{few} to {many}"
    return f"at most {room} students a job for want of memory (fold.members: {most})"
