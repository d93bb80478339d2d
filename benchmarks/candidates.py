"""The configurations that every way of running is given: three kinds of study, two networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from search.plans import Candidate, Crew, fold
from spaces.schedules.constant import Constant
from spaces.schedules.cosine import Cosine
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

SEED = 0
"""Of the candidates, of the first weights and of the order of batches."""

MODELS = {"mlp": Mlp(hidden=(128, 128)), "cnn": Cnn(channels=(16, 32))}
"""On digits the perceptron is 64-128-128-10; the other normalises by groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """``averages`` of each student are candidates.

    ``teachers`` tells, of two students in turn, whether they learn from a teacher of their own.
    """

    averages: int
    teachers: tuple[bool, bool]
    about: str


STUDIES = {
    "open": Study(
        averages=64,
        teachers=(False, False),
        about="open-loop: 64 averages of each student, all but free to follow",
    ),
    "closed": Study(
        averages=1,
        teachers=(True, True),
        about="closed-loop: every candidate learns from its own teacher, and deploys it",
    ),
    "mixed": Study(
        averages=8,
        teachers=(False, True),
        about="mixed: 8 averages of each student, every second student with its own teacher",
    ),
}


def draw(study: str, model: str, count: int) -> list[Candidate]:
    """The first ``count`` candidates of an endless list that is the same whenever it is drawn."""
    kind = STUDIES[study]
    out: list[Candidate] = []
    for number in range(count):
        student, place = divmod(number, kind.averages)
        recipe = _recipe(student, model, closed=kind.teachers[student % 2])
        out.append(Candidate(number, recipe, _averager(kind, recipe, student, place)))
    return out


def sample(candidates: list[Candidate], count: int) -> list[Candidate]:
    """``count`` of them, evenly spaced, or all; each student's turn in the list is kept in step.

    The stride is made odd, so that students that take turns are all met.
    """
    if count >= len(candidates):
        return candidates
    stride = max(1, len(candidates) // count - 1) | 1
    return candidates[::stride][:count]


def folded(candidates: list[Candidate], *, members: int, workers: int) -> list[Crew]:
    """Crews of up to ``members`` students, small enough that every worker has one of each program."""
    programs: dict[str, set[Recipe]] = {}
    for c in candidates:
        programs.setdefault(type(c.recipe.strategy).__name__, set()).add(c.recipe)
    share = -(-max(map(len, programs.values())) // workers)
    return fold(candidates, most_members=min(members, share))


def unfolded(candidates: list[Candidate]) -> list[Crew]:
    """Each candidate by itself."""
    return [((c.number,),) for c in candidates]


def _recipe(student: int, model: str, *, closed: bool) -> Recipe:
    rng = np.random.default_rng((SEED, student))
    lr, strength, momentum = rng.random(3)
    strategy = MeanTeacher(
        teacher=Ema(momentum=Constant(value=_near_one(momentum, 0.9, 0.9995))),
        agreement=Constant(value=_log(strength, 0.1, 10)),
    )
    return Recipe(
        model=MODELS[model],
        optimizer=Sgd(lr=Constant(value=_log(lr, 0.01, 0.1))),
        strategy=strategy if closed else Finetune(),
    )


def _averager(kind: Study, recipe: Recipe, student: int, place: int) -> Averager:
    if kind.averages == 1 and isinstance(recipe.strategy, MeanTeacher):
        return recipe.strategy.teacher
    rng = np.random.default_rng((SEED, student, place))
    start, end, every = rng.random(3)
    low, high = _near_one(start, 0.9, 0.999), _near_one(end, 0.99, 0.9999)
    momentum = Constant(value=low) if place % 2 else Cosine(start=low, end=high)
    return Ema(momentum=momentum, every=1 + int(50 * every))


def _log(u: float, low: float, high: float) -> float:
    return float(low * (high / low) ** u)


def _near_one(u: float, low: float, high: float) -> float:
    return 1 - _log(u, 1 - low, 1 - high)
