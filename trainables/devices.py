"""Devices by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

DeviceName: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


def device_called(name: DeviceName) -> torch.device:
    """The device; ``auto`` is the first there is of cuda, mps and cpu.

    Raises:
        ValueError: if there is no such device here.
    """
    here = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, found in here.items() if found))
    if not here[name]:
        found = ", ".join(kind for kind in here if here[kind])
        raise ValueError(f"PyTorch finds no {name} device here (it finds: {found})")
    return torch.device(name)
