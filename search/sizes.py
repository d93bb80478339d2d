"""Sizes of memory, as people write them: 512MiB, 1.5GiB."""

from __future__ import annotations

import re

UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def bytes_of(text: str) -> int:
    """Raises ValueError if ``text`` is no positive number followed by one of ``UNITS``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]iB)", text)
    size = int(float(found[1]) * UNITS[found[2]]) if found else 0
    if size < 1:
        raise ValueError(f"a size such as 512MiB or 1.5GiB, got {text!r}")
    return size


def size_of(amount: int) -> str:
    """In the largest unit of which it is at least one, to a tenth: ``30.1 MiB``."""
    unit = max((u for u in UNITS if amount >= UNITS[u]), key=lambda u: UNITS[u], default="KiB")
    return f"{amount / UNITS[unit]:.1f} {unit}"
