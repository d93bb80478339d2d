"""Where every random number starts: a generator for a purpose, a seed and a few whole numbers."""

from __future__ import annotations

from hashlib import sha256

import torch


def joined(study: int, own: int) -> int:
    """The seed of a member that has a seed of its ``own`` in a study with one.

    It is the study's if ``own`` is 0. Others are hashed with the study's, so that neither the
    sum of two seeds nor their order counts.
    """
    return study if own == 0 else generator("member", study, own).initial_seed()


def generator(purpose: str, *words: int) -> torch.Generator:
    """A CPU generator that depends on the arguments alone, in this and in any other process.

    ``purpose`` keeps two uses of one seed apart: the batches of seed 0 share nothing with the
    weights of seed 0. Purpose and words (a seed, a task) are hashed together, because
    neighbouring seeds of a Mersenne twister start out alike.
    """
    said = ",".join([purpose, *(str(int(word)) for word in words)])
    return torch.Generator().manual_seed(int.from_bytes(sha256(said.encode()).digest()[:8]))
