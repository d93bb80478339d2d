"""Where every random number starts: a generator for a purpose, a seed and a few whole numbers."""

from __future__ import annotations

import numpy as np
import torch


def generator(purpose: str, *words: int) -> torch.Generator:
    """A CPU generator that depends on the arguments alone, in this and in any other process.

    ``purpose`` keeps two uses of one seed apart: the batches of seed 0 share nothing with the
    weights of seed 0. The words (a seed, a task) are mixed by NumPy's ``SeedSequence``, because
    neighbouring seeds of one Mersenne twister start out alike.

    Raises:
        ValueError: if a word is negative.
    """
    mixed = np.random.SeedSequence((int.from_bytes(purpose.encode()), *words))
    return torch.Generator().manual_seed(int(mixed.generate_state(1, np.uint64)[0]))
