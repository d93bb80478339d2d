"""Merges the slow way: dictionaries of tensors, one number after the other where it helps."""

from __future__ import annotations

import torch


def interpolated(old, new, share):
    return {n: (1 - share) * old[n] + share * new[n] for n in new}


def vectors(initial, ends):
    return [{n: end[n] - initial[n] for n in end} for end in ends]


def task_arithmetic(initial, ends, scale):
    return {n: initial[n] + scale * sum(v[n] for v in vectors(initial, ends)) for n in initial}


def magmax(initial, ends, scale):
    out = {}
    for n in initial:
        best = torch.zeros_like(initial[n])
        for v in vectors(initial, ends):
            for i, x in enumerate(v[n].flatten()):
                if abs(x) >= abs(best.view(-1)[i]):
                    best.view(-1)[i] = x
        out[n] = initial[n] + scale * best
    return out


def ties(initial, ends, density, scale):
    flats = []
    for v in vectors(initial, ends):
        flat = torch.cat([t.flatten() for t in v.values()])
        kept = torch.zeros_like(flat)
        for i in flat.abs().argsort(descending=True)[: max(1, round(density * len(flat)))]:
            kept[i] = flat[i]
        flats.append(kept)
    merged = torch.zeros_like(flats[0])
    for i in range(len(merged)):
        entries = [float(f[i]) for f in flats]
        positive = sum(entries) > 0
        agreeing = [x for x in entries if x != 0 and (x > 0) == positive]
        merged[i] = sum(agreeing) / len(agreeing) if agreeing else 0
    return _added(initial, merged, scale)


def _added(initial, flat, scale):
    out, at = {}, 0
    for n, t in initial.items():
        out[n] = t + scale * flat[at : at + t.numel()].view_as(t)
        at += t.numel()
    return out


def mean(ends):
    return {n: torch.stack([end[n] for end in ends]).mean(0) for n in ends[0]}


def mode(ends, fishers):
    return {
        n: sum(f[n] * end[n] for f, end in zip(fishers, ends, strict=True))
        / sum(f[n] for f in fishers)
        for n in ends[0]
    }


def cofima(old, new, fishers, share, most):
    """Where both informations are 0: plain interpolation."""
    out = {}
    for n in new:
        f0, f1 = (f[n].clamp(max=most) for f in fishers)
        below = (1 - share) * f0 + share * f1
        above = (1 - share) * f0 * old[n] + share * f1 * new[n]
        plain = (1 - share) * old[n] + share * new[n]
        out[n] = torch.where(below == 0, plain, above / torch.where(below == 0, 1, below))
    return out
