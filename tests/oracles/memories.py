"""Memories the slow way: a dictionary of places, and each policy as its paper words it."""

from __future__ import annotations

from collections import deque


def course(places, samples):
    """What sits in each place before each step: a dictionary for each."""
    held, out = {}, []
    for at, arriving in zip(places.tolist(), samples.tolist(), strict=True):
        out.append(dict(held))
        held |= {p: s for p, s in zip(at, arriving, strict=True) if p >= 0}
    return [*out, held]


def new_ones(samples, owners):
    """(sample, owner) in the order that samples are first met."""
    seen = set()
    for sample, owner in zip(samples.flatten().tolist(), owners.flatten().tolist(), strict=True):
        if sample not in seen:
            seen.add(sample)
            yield sample, owner


def rings(samples, owners, lengths):
    """Queues that drop their oldest: the samples of each owner that are held in the end."""
    queues = [deque(maxlen=n) for n in lengths]
    for sample, owner in new_ones(samples, owners):
        queues[owner].append(sample)
    return [set(q) for q in queues]


def greedy_counts(labels_in_order, size):
    """GDumb, algorithm 1: samples held of each class after each arrival. Ties do not matter here."""
    counts, out = {}, []
    for y in labels_in_order:
        share = size / len(counts) if counts else size
        if y not in counts or counts[y] < share:
            if sum(counts.values()) >= size:
                largest = max(counts, key=lambda c: counts[c])
                counts[largest] -= 1
            counts[y] = counts.get(y, 0) + 1
        out.append(dict(counts))
    return out
