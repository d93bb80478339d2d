"""Generators: apart by purpose, seed and word; alike in every process."""

from __future__ import annotations

import numpy as np
import torch

from trainables.seeds import generator, joined


def draws(*arguments):
    return torch.randint(2**62, (4,), generator=generator(*arguments)).tolist()


def test_every_argument_tells_generators_apart():
    said = [("a", 0, 1), ("b", 0, 1), ("a", 1, 0), ("a",), ("a", 0), ("a", 0, 0)]
    said += [("a", 0, 1, 0), ("a", 2**32), ("a", 2**80, 1)]
    assert len({tuple(draws(*arguments)) for arguments in said}) == len(said)


def test_draws_are_the_same_for_good():
    """These numbers are pinned: a change here would change every recorded result."""
    assert draws("batches", 0, 1) == [
        1133610192232560682,
        1206558973250836807,
        3324753156347142130,
        118846064720369559,
    ]


def test_whole_numbers_of_any_type_mean_the_same():
    assert draws("a", np.int64(3)) == draws("a", 3) != draws("a", -3)


def test_no_seed_of_its_own_is_the_studys_and_others_are_all_apart():
    assert [joined(study, 0) for study in (0, 1, 2**62)] == [0, 1, 2**62]
    pairs = [(study, own) for study in range(12) for own in range(12)]
    assert len({joined(*pair) for pair in pairs}) == len(pairs)
    assert joined(3, 5) == 15304396307843577425
