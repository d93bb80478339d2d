"""A learner: one network as a function of a row of weights, and its programs over many rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from trainables.gates import Gate
from trainables.gating import mask_of, measured
from trainables.importances.base import Estimate
from trainables.layouts import call_compiled_
from trainables.lessons import Lesson, below
from trainables.losses import cross_entropy
from trainables.models import Model
from trainables.precisions import computed_in
from trainables.products import ours
from trainables.programs import Finish, Function, Loop, Program
from trainables.recipes import Recipe, program
from trainables.scenarios.base import Batch, Replay, Shape, Split, Stream
from trainables.seeds import generator, joined
from trainables.slopes import slope, slope_and_rest
from trainables.stacks import Weights, layout_of

Names: TypeAlias = tuple[str, ...]

SLOPES_AT_ONCE = 8
"""Samples whose slopes are taken together, each a row of weights of every member."""

SMALL = 1e-12
"""Keeps the root of a sum of squares from having no slope."""

MASKED = -1e9
"""The logit of a class that may not be answered: never wins, and its probability rounds to 0."""


class Given(NamedTuple):
    """What a loss is given beside the student, by name, in order: what is of the member comes first."""

    companions: Names
    now: Names
    stored: bool
    shared: Names

    @classmethod
    def of(cls, companions: Names, tables: Names, batch: Batch) -> Given:
        """Where a step has ``tables`` of these names."""
        now = tuple(n for n in tables if n.startswith("strategy."))
        there = tuple(n for n, t in _flat(batch).items() if t is not None)
        return cls(companions, now, bool(stored(batch)), there)


def stacks(model: Model, shape: Shape) -> bool:
    """Whether members with such a model are trained as one stack, or else one after the other."""
    with torch.device("meta"):
        network = model.network(*shape)
    return model.stacks and not list(network.buffers())


class Learner:
    """The network of a recipe on a stream; ``start`` [P] are its weights as ``seed`` draws them.

    That is the study's seed, joined with the recipe's own.

    Buffers of floats, such as the running statistics of batch normalisation, lie in a row like
    weights: they are averaged as weights are, also a teacher's. In training every forward
    normalises by its own batch and the student's alone are recorded.
    """

    def __init__(
        self, recipe: Recipe, stream: Stream, *, seed: int, finish: Finish = call_compiled_
    ) -> None:
        self._shape, self._seed, self._model = (
            Shape(stream.inputs, stream.classes),
            joined(seed, recipe.seed),
            recipe.model,
        )
        self.network = recipe.model.build(*self._shape, generator("weights", self._seed))
        self.layout = layout_of(self.network)
        self.start = self.layout.row(self.network.state_dict())
        self._finish = finish
        self.stacks = stacks(recipe.model, self._shape)
        self._skeleton = program(recipe), stream.inputs, stream.classes
        self._strategy, self._precision = recipe.strategy, recipe.precision
        buffers = self.network.named_buffers()
        self._counts = [(n, b) for n, b in buffers if not b.is_floating_point()]
        self._programs: dict[object, Program | Loop] = {}

    def drawn(self, number: int) -> Tensor:
        """Other first weights than ``start``, of the same law. [P]."""
        rng = generator("weights", self._seed, number)
        return self.layout.row(self._model.build(*self._shape, rng).state_dict())

    @property
    def body(self) -> slice:
        """The columns of every parameter but the last layer's."""
        head = tuple(n for n, _ in list(self.network.named_children())[-1:])
        names, sizes = self.layout.names, self.layout.sizes
        return slice(0, sum(s for n, s in zip(names, sizes, strict=True) if not n.startswith(head)))

    def logits(self, row: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Of ONE model on x [B, *inputs]. [B, C]."""
        self.network.eval()
        return self._forward(self._views(row), x, mask)

    def gradients(
        self,
        students: Tensor,
        companions: Mapping[str, Tensor],
        batch: Batch,
        now: Mapping[str, Tensor],
    ) -> Tensor:
        """Of each member's loss. [M, P] from [M, P], those of the companions and values [M, 1].

        Only ``batch.replay.stored`` [M, D, R, C] is of the members. In the columns of the buffers,
        ``layout.carried``, stand their next values.
        """
        given, stacks, rest = told(companions, batch, now)
        if given not in self._programs:
            of = self._gradient(given)
            self._programs[given] = self._program(of, given, mapped=1 + len(stacks))
        return self._programs[given](students, *stacks, *rest)

    def gradients_of(self, given: Given) -> Function:
        """Of students [M, P], stacks and what is shared: their gradients [M, P], to be traced."""
        count = 1 + len(given.companions) + len(given.now) + int(given.stored)
        dims = *[0] * count, *[None] * len(given.shared)
        return vmap(self._gradient(given), in_dims=dims)

    @property
    def skeleton(self) -> Hashable:
        """All that its functions depend on besides shapes."""
        return self._skeleton

    @property
    def fuses(self) -> bool:
        """Whether what it computes may be part of a larger routine."""
        return self.stacks and self._finish is call_compiled_ and ours(self.start)

    def ascents(self, rows: Tensor, batch: Batch) -> Tensor:
        """The gradient of each row's cross-entropy on ``batch``, 0 for buffers. [M, P]."""

        def told(row: Tensor, x: Tensor, y: Tensor, *mask: Tensor) -> Tensor:
            logits = self._forward(self._views(row), x, mask[0] if mask else None)
            return cross_entropy(logits, y)

        self.network.train()
        key = ("ascents", batch.mask is None)
        if key not in self._programs:
            self._programs[key] = self._program(slope(told), key, mapped=1)
        mask = () if batch.mask is None else (batch.mask,)
        return self._programs[key](rows, batch.x, batch.y, *mask)

    def gates(self, gate: Gate, rows: Tensor, batch: Batch, now: Mapping[str, Tensor]) -> Tensor:
        """Which gradients ``gate`` lets pass, 1 or 0; ``now`` has its own values [M, 1]. [M, P]."""

        def mask(row: Tensor, *rest: Tensor) -> Tensor:
            values = {n: v.squeeze(0) for n, v in zip(now, rest[:-1], strict=True)}
            with measured(self.network) as sizes:
                self.logits(row, rest[-1], None)
            return mask_of(gate, self.layout, sizes, values)

        if "gates" not in self._programs:
            self._programs["gates"] = self._program(mask, "gates", mapped=1 + len(now))
        return self._programs["gates"](rows, *now.values(), batch.x)

    def answers(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of each row on the same x. [R, B, C]."""
        return self._answered("answers", self._judged, rows, x, mask)

    def answers_in_training(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """The same as a loss sees them: in its precision, normalised by the batch. [R, B, C]."""
        return self._answered("answers in training", self._answer, rows, x, mask)

    def _answered(
        self, name: str, of: Function, rows: Tensor, x: Tensor, mask: Tensor | None
    ) -> Tensor:
        key = (name, mask is None)
        if key not in self._programs:
            self._programs[key] = self._program(of, key, mapped=1)
        return self._programs[key](rows, x, *(() if mask is None else (mask,)))

    def _judged(self, row: Tensor, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.logits(row, x, mask)

    def _answer(self, row: Tensor, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.network.train()
        return computed_in(self._precision, self._forward)(self._views(row), x, mask)

    @property
    def classes(self) -> int:
        return self._shape.classes

    def means(self, rows: Tensor, x: Tensor, shares: Tensor) -> Tensor:
        """Sums of the features of x [N, *inputs], weighted by ``shares`` [C, N]. [R, C, F]."""

        def one(row: Tensor, x: Tensor, shares: Tensor) -> Tensor:
            self.network.eval()
            return shares @ self._features(self.layout.views(row), x).flatten(1)

        if "means" not in self._programs:
            self._programs["means"] = self._program(one, "means", mapped=1)
        return self._programs["means"](rows, x, shares)

    def nearest(self, rows: Tensor, means: Tensor, x: Tensor, mask: Tensor) -> Tensor:
        """Minus the squared distance of each sample's features to ``means`` [R, C, F]. [R, B, C]."""

        def one(row: Tensor, means: Tensor, x: Tensor, mask: Tensor) -> Tensor:
            self.network.eval()
            features = self._features(self.layout.views(row), x).flatten(1)
            apart = (features.unsqueeze(1) - means).square().sum(-1)
            return torch.where(mask, -apart, MASKED)

        if "nearest" not in self._programs:
            self._programs["nearest"] = self._program(one, "nearest", mapped=2)
        return self._programs["nearest"](rows, means, x, mask)

    def moments(self, rows: Tensor, x: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [R, C, F] and covariance [R, C, F, F] of the features of each class's ``members``.

        These are 1 or 0, [C, N]. Classes without members have zeros, with one no covariance.
        """

        def one(row: Tensor, x: Tensor, members: Tensor) -> Tensor:
            self.network.eval()
            features = self._features(self.layout.views(row), x).flatten(1)
            count = members.sum(-1).view(-1, 1, 1)
            means = (members @ features).unsqueeze(1) / count.clamp(min=1)
            apart = (features - means) * members.unsqueeze(-1)
            spread = apart.transpose(1, 2) @ apart / (count - 1).clamp(min=1)
            return torch.cat([means, spread], dim=1)

        if "moments" not in self._programs:
            self._programs["moments"] = self._program(one, "moments", mapped=1)
        both = self._programs["moments"](rows, x, members)
        return both[:, :, 0], both[:, :, 1:]

    def heads(
        self, heads: Tensor, stacks: tuple[Tensor, ...], noise: Tensor, met: Tensor
    ) -> Tensor:
        """Last layers [M, C F + C] a step further, on features that are drawn of each class met.

        ``stacks`` are means, roots, rates [M, 1] and temperatures [M, 1] (``Alignment``), ``noise``
        [C, n, F] standard normal, ``met`` bool [C].
        """
        if "heads" not in self._programs:
            self._programs["heads"] = self._program(self._head, "heads", mapped=5)
        return self._programs["heads"](heads, *stacks, noise, met)

    def _head(self, head: Tensor, *rest: Tensor) -> Tensor:
        means, roots, rate, temperature, noise, met = rest
        classes, width = self.layout.head
        x = means.unsqueeze(1) + noise @ roots.transpose(1, 2)

        def loss(head: Tensor) -> Tensor:
            weight, bias = head[: classes * width].view(classes, width), head[classes * width :]
            logits = torch.where(met, x @ weight.T + bias, 0.0)
            size = (logits.square().sum(-1, keepdim=True) + SMALL).sqrt()
            told = torch.where(met, logits / (temperature * size), MASKED).log_softmax(-1)
            own = told.diagonal(dim1=0, dim2=2).mean(0)
            return -torch.where(met, own, 0.0).sum() / met.sum()

        return head - rate * slope(loss)(head)

    def slopes(
        self, rows: Tensor, split: Split, mask: Tensor | None, *, of: Estimate, power: int
    ) -> Tensor:
        """The mean over the samples of |d of / d weight|^power, one sample at a time. [R, P]."""
        chunk = SLOPES_AT_ONCE if self.stacks else 1
        total = torch.zeros_like(rows)
        pairs = zip(torch.split(split.x, chunk), torch.split(split.y, chunk), strict=True)
        for x, y in pairs:
            key = ("slopes", of, power, mask is None)
            if key not in self._programs:
                self._programs[key] = self._program(self._slopes(of, power), key, mapped=1)
            total += self._programs[key](rows, x, y, *(() if mask is None else (mask,)))
        total[:, self.layout.carried] = 0
        return total / len(split)

    def _slopes(self, of: Estimate, power: int) -> Function:
        def one(row: Tensor, x: Tensor, y: Tensor, *mask: Tensor) -> Tensor:
            logits = self.logits(row, x.unsqueeze(0), mask[0] if mask else None)
            return of(logits.squeeze(0), y)

        def summed(row: Tensor, x: Tensor, y: Tensor, *mask: Tensor) -> Tensor:
            if not self.stacks:
                return slope(one)(row, x[0], y[0], *mask).abs().pow(power)
            each = vmap(slope(one), in_dims=(None, 0, 0, *(None for _ in mask)))
            return each(row, x, y, *mask).abs().pow(power).sum(0)

        return summed

    def _program(self, of: Function, key: Hashable, *, mapped: int) -> Program | Loop:
        if not self.stacks:
            return Loop(of, mapped)
        return Program(of, (key, self._skeleton), mapped, self._finish)

    def _gradient(self, given: Given) -> Function:
        both = slope_and_rest(self._loss(given))

        def gradient(*arguments: Tensor) -> Tensor:
            slopes, buffers = both(*arguments)
            if buffers:
                at = self.layout.carried
                parts = (slopes[: at.start], *(b.flatten() for b in buffers), slopes[at.stop :])
                slopes = torch.cat(parts)
            return slopes

        return gradient

    def _loss(self, given: Given) -> Callable[..., tuple[Tensor, list[Tensor]]]:
        def loss(student: Tensor, *rest: Tensor) -> tuple[Tensor, list[Tensor]]:
            each = iter(rest)
            beside = {name: self._views(next(each)) for name in given.companions}
            now = {name: next(each).squeeze(0) for name in given.now}
            stored = next(each) if given.stored else None
            batch = _batch(dict(zip(given.shared, each, strict=True)), stored)
            views = self._views(student)
            self.network.train()
            forward = computed_in(self._precision, self._forward)
            features = computed_in(self._precision, self._features)
            lesson = Lesson(forward, features, views, beside, batch, below(now, "strategy"))
            return self._strategy.loss(lesson), [views[name] for name in self._buffers]

        return loss

    def _forward(self, weights: Weights, x: Tensor, mask: Tensor | None) -> Tensor:
        logits: Tensor = functional_call(self.network, weights, (x,))
        return logits if mask is None else torch.where(mask, logits, MASKED)

    def _features(self, weights: Weights, x: Tensor) -> Tensor:
        body = self._model.body(self.network)
        own = {n for n, _ in (*body.named_parameters(), *body.named_buffers())}
        within = {n: w for n, w in weights.items() if n in own}
        features: Tensor = functional_call(body, within, (x,))
        return features

    @property
    def _buffers(self) -> tuple[str, ...]:
        return self.layout.names[len(self.layout.names) - self.layout.buffers :]

    def _views(self, row: Tensor) -> Weights:
        """The tensors in ``row``; of its buffers copies, which a forward may overwrite."""
        views = self.layout.views(row)
        copies = {name: views[name].detach().clone() for name in self._buffers}
        return views | copies | {name: count.clone() for name, count in self._counts}


def told(
    companions: Mapping[str, Tensor], batch: Batch, now: Mapping[str, Tensor]
) -> tuple[Given, list[Tensor], list[Tensor]]:
    """What losses are given beside the students: its names, the stacks, and what is shared."""
    given = Given.of(tuple(companions), tuple(now), batch)
    stacks = [*companions.values(), *(now[n] for n in given.now), *stored(batch)]
    return given, stacks, shared(batch)


def stored(batch: Batch) -> list[Tensor]:
    """What of a batch is the members' own."""
    answers = None if batch.replay is None else batch.replay.stored
    return [] if answers is None else [answers]


def shared(batch: Batch) -> list[Tensor]:
    """What of a batch all members are shown, as far as it is there."""
    return [t for t in _flat(batch).values() if t is not None]


def _flat(batch: Batch) -> dict[str, Tensor | None]:
    """What of a batch all members share, by name."""
    own = {n: v for n, v in batch._asdict().items() if n != "replay"}
    replay = {} if batch.replay is None else batch.replay._asdict()
    return own | {f"replay.{n}": v for n, v in replay.items() if n != "stored"}


def _batch(shared: Mapping[str, Tensor], stored: Tensor | None) -> Batch:
    """The batch of ONE member again."""
    replay = below(shared, "replay")
    own: dict[str, Any] = {n: v for n, v in shared.items() if not n.startswith("replay.")}
    return Batch(**own, replay=Replay(**replay, stored=stored) if replay else None)
