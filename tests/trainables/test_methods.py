"""Losses and importances of the literature: a cohort against the same method written out plainly."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from spaces.schedules.constant import Constant
from spaces.schedules.thawed import Thawed
from tests.oracles import continual as plain
from trainables.alignment import Alignment
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.gates.magnitude import Magnitude
from trainables.importances.fisher import Fisher
from trainables.importances.memory_aware_synapses import MemoryAwareSynapses
from trainables.importances.synaptic_intelligence import SynapticIntelligence
from trainables.importances.true_fisher import TrueFisher
from trainables.merges.weight_aligning import WeightAligning
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.refreshing import Refreshing
from trainables.scenarios.split_digits import SplitDigits
from trainables.seeds import generator
from trainables.strategies.finetune import Finetune
from trainables.strategies.local import Local
from trainables.terms.agreement import Agreement
from trainables.terms.agreements import Agreements
from trainables.terms.feature_agreement import FeatureAgreement
from trainables.terms.logit_agreement import LogitAgreement
from trainables.terms.quadratic import Quadratic

STREAM = SplitDigits(tasks=5, steps=8, train=100, validation=50).stream()
MODEL = Mlp(hidden=(12,))
BATCH, LR = 8, 0.1


def c(value):
    return Constant(value=value)


def penalty(importance, weight):
    return Finetune(terms=(Quadratic(importance=importance, weight=c(weight)),))


def with_term(term):
    return Finetune(terms=(term,))


METHODS = {
    "ewc": (
        penalty(Fisher(keep=c(0.7), samples=10), 1.0),
        lambda: plain.Ewc(weight=1.0, keep=0.7, samples=10),
    ),
    "ewc-summed": (
        penalty(Fisher(samples=1000), 1.0),
        lambda: plain.Ewc(weight=1.0, keep=1.0, samples=1000),
    ),
    "ewc-true": (
        penalty(TrueFisher(samples=10), 1.0),
        lambda: plain.TrueEwc(weight=1.0, keep=1.0, samples=10),
    ),
    "mas": (
        penalty(MemoryAwareSynapses(keep=c(0.5), samples=10), 0.3),
        lambda: plain.Mas(weight=0.3, keep=0.5, samples=10),
    ),
    "si": (
        penalty(SynapticIntelligence(damping=c(0.02)), 4.0),
        lambda: plain.Si(weight=4.0, damping=0.02),
    ),
    "lwf": (
        with_term(Agreement(classes="old", weight=c(3.0))),
        lambda: plain.Lwf(weight=3.0, temperature=2.0),
    ),
    "lwf-local": (
        Local(terms=(Agreement(classes="old", weight=c(0.3), temperature=c(1.5)),)),
        lambda: plain.LocalLwf(weight=0.3, temperature=1.5),
    ),
    "momentum-distillation": (
        with_term(Agreements(teachers=(Ema(momentum=c(0.8)), Ema(momentum=c(0.99))))),
        lambda: plain.Momentum(weight=5.5, temperature=4.0, momenta=(0.8, 0.99)),
    ),
    "features": (
        with_term(FeatureAgreement(features="raw", weight=c(0.7))),
        lambda: plain.Features(0.7, plain.raw_features),
    ),
    "features-of-length-1": (
        with_term(FeatureAgreement(weight=c(5.0))),
        lambda: plain.Features(5.0, plain.unit_features),
    ),
    "logits": (
        with_term(LogitAgreement(weight=c(2.0))),
        lambda: plain.Features(2.0, plain.logits),
    ),
}


PARTS = {
    "refresh": (
        {
            "refresh": Refreshing(
                rate=c(0.02), damping=c(3.0), importance=Fisher(keep=c(0.5), samples=10)
            )
        },
        lambda: plain.Refreshed(rate=0.02, noise=0.01, damping=3.0, keep=0.5, samples=10),
    ),
    "gate": ({"gate": Magnitude(share=c(0.4))}, lambda: plain.Gated(0.4)),
    "alignment": (
        {"alignment": Alignment(steps=4, samples=3, lr=c(0.5), temperature=c(0.3))},
        lambda: plain.Calibrated(steps=4, samples=3, lr=0.5, temperature=0.3),
    ),
    "frozen-at-first": (
        {"body_rate": Thawed(share=0.6)},
        lambda: plain.Frozen(share=0.6, steps=STREAM.clock.task_ends[0]),
    ),
    "weight-aligning": ({"merge": WeightAligning()}, plain.Aligned),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_cohort_trains_as_the_method_written_out(name):
    strategy, written_out = METHODS[name]
    cohort = trained(recipe(strategy))
    agrees(cohort, written_out())
    makes_a_difference(cohort, recipe(type(strategy)()))


@pytest.mark.parametrize("name", PARTS)
def test_with_a_part_a_cohort_trains_as_the_method_written_out(name):
    parts, written_out = PARTS[name]
    cohort = trained(recipe(Finetune(), **parts))
    agrees(cohort, written_out())
    makes_a_difference(cohort, recipe(Finetune()))


def makes_a_difference(cohort, without):
    """One that the comparison would see."""
    assert (cohort.students - trained(without).students).abs().max() > 3e-3


def recipe(strategy, **parts):
    return Recipe(model=MODEL, strategy=strategy, optimizer=sgd(), batch=BATCH, **parts)


def sgd():
    return Sgd(lr=c(LR), momentum=c(0.0))


def trained(recipe, tasks=5):
    cohort = Cohort([Member(recipe, (Student(),))], STREAM, seed=plain.SEED)
    for _ in range(tasks):
        cohort.train_task()
    return cohort


def agrees(cohort, method, **options):
    model = MODEL.build(STREAM.inputs, STREAM.classes, generator("weights", plain.SEED))
    model = plain.train(method, STREAM, model, batch=BATCH, lr=LR, **options)
    expected = parameters_to_vector(model.parameters())
    found = cohort.students[0, : len(expected)]
    torch.testing.assert_close(found, expected.detach(), atol=1e-4, rtol=0)
    return model


@pytest.mark.parametrize("importance", [Fisher(samples=4), SynapticIntelligence()])
def test_running_statistics_matter_to_no_importance(importance):
    strategy = penalty(importance, 1.0)
    recipe = Recipe(model=Cnn(channels=(4,), norm="batch"), strategy=strategy, batch=BATCH)
    cohort = trained(recipe, tasks=2)
    omegas = cohort.state_dict()["stepper"]["companions"]["importances"][
        "strategy.terms.0.importance"
    ]
    at = cohort.learner.layout.carried
    assert at.stop > at.start and cohort.students[:, at].any()
    assert omegas.isfinite().all() and omegas.any()
    assert not omegas[:, at].any()
